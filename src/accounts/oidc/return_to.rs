//! Where a browser goes when it is signed in: a path of our own pages, and nothing else.
//!
//! Browsers and parsers disagree about backslashes, control characters, escapes and dots, so none of them is taken at
//! all. What is left means the same to everybody.

const BYTES_MAX: usize = 512;

/// The path as it was given, or `None`.
pub(super) fn parse(text: &str) -> Option<&str> {
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    let segments = path.strip_prefix('/')?;
    let is_plain = |text: &str, more: &[u8]| {
        text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter) || more.contains(&letter))
    };
    // A segment that begins with a dot is none of our pages, and `..` leads out of them.
    let is_segment = |segment: &str| !segment.is_empty() && !segment.starts_with('.') && is_plain(segment, b".");
    let fits = text.len() <= BYTES_MAX
        && (segments.is_empty() || segments.split('/').all(is_segment))
        && query.is_none_or(|query| is_plain(query, b".=&"))
        // It would begin another sign-in.
        && segments.split('/').next() != Some("oidc");
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_our_own_are_taken() {
        for good in ["/", "/watch/0198c0de-0000-7000-8000-000000000001", "/play?tab=meals&day=2", "/a/b.html", "/x_y?"]
        {
            assert_eq!(parse(good), Some(good));
        }
    }

    #[test]
    fn whatever_could_lead_away_is_not() {
        let long = format!("/{}", "a".repeat(BYTES_MAX));
        let bad = [
            "",
            " ",
            " /",
            "/ ",
            "\t/",
            "/\t",
            "\n/",
            "/\n/evil.example",
            "/\r/evil.example",
            "/\t/evil.example",
            "/\0",
            "/\u{7f}",
            "//",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/watch//evil.example",
            "/watch/",
            "\\",
            "\\\\evil.example",
            "/\\evil.example",
            "/\\/evil.example",
            "\\/evil.example",
            "/watch\\..\\..",
            "/%2f/evil.example",
            "/%2F%2Fevil.example",
            "/%5cevil.example",
            "/%5C%5Cevil.example",
            "/%09/evil.example",
            "/%00",
            "/%0d%0aset-cookie:a=b",
            "/%252f%252fevil.example",
            "/%",
            "%2f%2fevil.example",
            "http://evil.example",
            "https://evil.example",
            "HTTPS://evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "http:\\\\evil.example",
            "ftp://evil.example",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,hello",
            "vbscript:x",
            "blob:x",
            "mailto:mina@example.com",
            "evil.example",
            "www.evil.example/",
            "@evil.example",
            "/@evil.example",
            "/user@evil.example/",
            "/:80",
            "/http://evil.example",
            "/https:evil.example",
            "/?next=http://evil.example",
            "/?next=//evil.example",
            "?next=/",
            "#/",
            "/#ticket=x",
            "/watch#//evil.example",
            "/..",
            "/../",
            "/../../evil",
            "/./evil",
            "/.",
            "/.well-known/jwks.json",
            "/watch/../../x",
            "/;@evil.example",
            "/a;b",
            "/\u{2044}evil.example",
            "/\u{ff0f}evil.example",
            "\u{ff0f}\u{ff0f}evil.example",
            "/\u{3002}evil",
            "/\u{202e}evil",
            "/\u{feff}",
            "\u{feff}/",
            "/\u{a0}",
            "/한글",
            "/\"",
            "/<script>",
            "/'",
            "/`",
            "/{x}",
            "/|",
            "/^",
            "/[::1]",
            "/*",
            "/$",
            "/!",
            "/~root",
            "/a,b",
            "/a+b",
            "/?a=b?c",
            "/?a=%2f",
            "/?a b",
            "/oidc/kakao/start",
            "/oidc",
            "/oidc?x=y",
            &long,
        ];
        assert!(bad.len() >= 60, "{}", bad.len());
        for bad in bad {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
