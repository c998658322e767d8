//! The ways in which the provider of the tests can lie.

/// Names the lies, and lists them.
macro_rules! lies {
    ($($lie:ident),+ $(,)?) => {
        /// What is wrong with everything that a provider says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Lie { $($lie),+ }

        impl Lie {
            pub(crate) const ALL: &[Self] = &[$(Self::$lie),+];
        }
    };
}

lies! {
    // The one that is none.
    Nothing,
    // The ID token.
    WrongIssuer,
    IssuerMissing,
    WrongAudience,
    AudienceMissing,
    AudienceEmpty,
    AudienceWithStranger,
    WrongNonce,
    NonceMissing,
    Expired,
    ExpiryMissing,
    ExpiryAsText,
    ExpiryNegative,
    ExpiryHuge,
    IssuedLater,
    SubjectMissing,
    SubjectEmpty,
    SubjectTooLong,
    SubjectWithNul,
    AlgorithmNone,
    SignedWithThePublicKey,
    UnknownKey,
    OtherKey,
    SignatureCut,
    EventAsIdToken,
    // The document and the keys.
    DocumentDown,
    DocumentGarbage,
    DocumentOfAnother,
    DocumentSlow,
    KeysDown,
    KeysGarbage,
    KeysNone,
    // On the way back with a code.
    UserCancels,
    ServerError,
    ErrorWithScript,
    CodeMissing,
    // The answer to a code.
    CodeUsed,
    ClientRefused,
    NoIdToken,
    IdTokenGarbage,
    TokenHtml,
    TokenFails,
    TokenTooMany,
    TokenEmpty,
    TokenCutOff,
    TokenEndless,
    TokenSlow,
    TokenMoved,
    TokenWrongType,
    // What an access token is for.
    OtherApp,
    AppMissing,
    IdAsText,
    IdNegative,
    IdZero,
    IdHuge,
    InfoRunOut,
    InfoHtml,
    InfoFails,
    InfoTooMany,
    InfoEmpty,
    InfoCutOff,
    InfoEndless,
    InfoSlow,
    InfoMoved,
    // Whose it is.
    UserOfAnother,
    UserIdAsText,
    UserTokenInvalid,
    UserNotLinked,
    UserScopeMissing,
    UserTooYoung,
    UserHtml,
    UserFails,
    // What the user is called: nothing to refuse, and nothing to believe.
    EmailUnverified,
    EmailInvalid,
    EmailNoAddress,
    NicknameHuge,
    NicknameWithNul,
    NoProfile,
    PictureScript,
}

impl Lie {
    /// What the provider that tells it is called.
    pub(crate) fn provider(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub(crate) fn of(provider: &str) -> Self {
        Self::ALL.iter().copied().find(|lie| lie.provider() == provider).unwrap_or(Self::Nothing)
    }
}
