//! Names as they are compared: each letter of Hangul becomes the Latin letter on its key of a Korean keyboard.
//!
//! So trigrams work whatever the locale of the database; a doubled consonant is the plain one, which forgives slips; spaces
//! between Korean words, which people set as they like, do not count; and who forgot to switch the keyboard is understood.

const LEADS: [&str; 19] =
    ["r", "r", "s", "e", "e", "f", "a", "q", "q", "t", "t", "d", "w", "w", "c", "z", "x", "v", "g"];
const VOWELS: [&str; 21] =
    ["k", "o", "i", "o", "j", "p", "u", "p", "h", "hk", "ho", "hl", "y", "n", "nj", "np", "nl", "b", "m", "ml", "l"];
const TAILS: [&str; 28] = [
    "", "r", "r", "rt", "s", "sw", "sg", "e", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg", "a", "q", "qt", "t", "t",
    "d", "w", "c", "z", "x", "v", "g",
];
/// ㄱ (U+3131) to ㅣ (U+3163).
const LONE: [&str; 51] = [
    "r", "r", "rt", "s", "sw", "sg", "e", "e", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg", "a", "q", "q", "qt", "t",
    "t", "d", "w", "w", "c", "z", "x", "v", "g", "k", "o", "i", "o", "j", "p", "u", "p", "h", "hk", "ho", "hl", "y",
    "n", "nj", "np", "nl", "b", "m", "ml", "l",
];

/// What a letter is typed with, if it is of Hangul, in whichever way it is composed.
fn typed(letter: char) -> Option<[&'static str; 3]> {
    let code = letter as usize;
    match code {
        0xAC00..=0xD7A3 => {
            let syllable = code - 0xAC00;
            Some([LEADS[syllable / 588], VOWELS[syllable % 588 / 28], TAILS[syllable % 28]])
        }
        0x1100..=0x1112 => Some([LEADS[code - 0x1100], "", ""]),
        0x1161..=0x1175 => Some([VOWELS[code - 0x1161], "", ""]),
        0x11A8..=0x11C2 => Some([TAILS[code - 0x11A7], "", ""]),
        0x3131..=0x3163 => Some([LONE[code - 0x3131], "", ""]),
        _ => None,
    }
}

/// A name as it is compared: lower-case letters and digits, and a space between words that are not Korean.
#[must_use]
pub fn key_of(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let (mut was_latin, mut gap) = (false, false);
    for letter in name.chars() {
        if let Some(letters) = typed(letter) {
            key.extend(letters);
            (was_latin, gap) = (false, false);
        } else if letter.is_ascii_alphanumeric() {
            if gap && was_latin {
                key.push(' ');
            }
            key.push(letter.to_ascii_lowercase());
            (was_latin, gap) = (true, false);
        } else {
            gap = true;
        }
    }
    key
}

/// The first consonants of a Korean name; empty without one.
#[must_use]
pub fn initials_of(name: &str) -> String {
    let syllables = name.chars().filter(|letter| matches!(letter, '가'..='힣'));
    syllables.filter_map(|letter| typed(letter).map(|[lead, ..]| lead)).collect()
}

/// Whether a Korean name begins with these first consonants as they were typed, doubled ones told apart.
#[must_use]
pub fn begins_with_initials(name: &str, query: &str) -> bool {
    const LEADS: [char; 19] = [
        'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ',
        'ㅎ',
    ];
    // Syllables come in blocks of 21 vowels times 28 endings.
    let lead = |syllable: char| LEADS.get((u32::from(syllable) - u32::from('가')) as usize / (21 * 28)).copied();
    let mut leads = name.chars().filter(|letter| matches!(letter, '가'..='힣')).filter_map(lead);
    query.chars().filter(|letter| !letter.is_whitespace()).all(|asked| leads.next() == Some(asked))
}

/// The consonants of a query that is nothing but first consonants, such as ㄱㅊㅉㄱ.
#[must_use]
pub fn initials_asked(query: &str) -> Option<String> {
    let letters: Vec<char> = query.chars().filter(|letter| !letter.is_whitespace()).collect();
    let is_consonants = letters.len() >= 2 && letters.iter().all(|letter| matches!(letter, 'ㄱ'..='ㅎ'));
    is_consonants.then(|| letters.into_iter().filter_map(typed).flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_composition_and_doubled_consonants_do_not_count() {
        assert_eq!(key_of("김치찌개"), "rlaclwlro");
        for alike in ["김치 찌개", "김치-찌개", "김치지개", "\u{1100}\u{1175}\u{11b7}치찌개", "rlaclWlro"]
        {
            assert_eq!(key_of(alike), key_of("김치찌개"), "{alike}");
        }
        assert_eq!(key_of("떡볶이"), key_of("떡뽁이"));
        assert_ne!(key_of("된장"), key_of("간장"));
    }

    #[test]
    fn words_that_are_not_korean_stay_words() {
        assert_eq!(key_of("Squash, summer,  raw (½)"), "squash summer raw");
        assert_eq!(key_of("BBQ 치킨 2조각"), "bbqclzls2whrkr");
        assert_eq!(key_of("\u{202e}\0%_\\"), "");
    }

    #[test]
    fn first_consonants_are_those_of_syllables() {
        assert_eq!(initials_of("김치 찌개 (1인분)"), "rcwrdq");
        assert_eq!(initials_of("bread"), "");
        assert_eq!(initials_asked("ㄱㅊㅉㄱ").as_deref(), Some("rcwr"));
        assert_eq!(initials_asked("ㄱㅊ ㅈㄱ").as_deref(), Some("rcwr"));
        for other in ["ㄱ", "ㄱ치", "ㅏㅏ", "ab", ""] {
            assert_eq!(initials_asked(other), None, "{other}");
        }
    }

    #[test]
    fn doubled_first_consonants_are_told_apart_when_it_matters() {
        assert!(begins_with_initials("김치 찌개", "ㄱㅊㅉㄱ") && begins_with_initials("김치찌개", "ㄱ ㅊ"));
        assert!(!begins_with_initials("곱창전골", "ㄱㅊㅉㄱ") && !begins_with_initials("김치", "ㄱㅊㅉ"));
        assert!(begins_with_initials("힣가", "ㅎㄱ") && begins_with_initials("까", "ㄲ"));
    }

    #[test]
    fn every_syllable_has_letters_and_keys_are_ascii() {
        for syllable in '가'..='힣' {
            let key = key_of(&syllable.to_string());
            assert!(
                (2..=5).contains(&key.len()) && key.bytes().all(|letter| letter.is_ascii_lowercase()),
                "{syllable}"
            );
        }
        for lone in 'ㄱ'..='ㅣ' {
            assert!(!key_of(&lone.to_string()).is_empty(), "{lone}");
        }
    }
}
