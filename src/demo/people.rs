//! The names of the demo's players. Given names only; nobody in particular is meant.

const NAMES: [&str; 72] = [
    "미나", "서준", "하윤", "지호", "수아", "도윤", "예린", "은우", "다은", "시우", "채원", "민준", "유진", "건우",
    "소희", "현우", "나래", "태오", "보람", "준서", "가을", "재민", "아라", "동하", "새봄", "우진", "한별", "승현",
    "이슬", "지안", "라온", "세아", "주원", "단비", "규민", "해나", "Mina", "Theo", "Ada", "Leo", "Nora", "Max",
    "Iris", "Sam", "Clara", "Finn", "Ruby", "Otto", "Lena", "Hugo", "Maya", "Noah", "Elsa", "Ivan", "Zoe", "Paul",
    "Alma", "Erik", "June", "Oscar", "Vera", "Nils", "Rosa", "Felix", "Dana", "Joel", "Kira", "Tom", "Lucy", "Ben",
    "Ella", "Jan",
];

/// The name of a player, unique within the story: after the last name the first ones come again with a number.
#[must_use]
pub fn nickname(seed: u64, player: u32) -> String {
    let count = NAMES.len() as u64;
    let place = (seed % count + u64::from(player)) % count;
    let name = NAMES[place as usize];
    match u64::from(player) / count {
        0 => name.to_owned(),
        round => format!("{name}_{}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_allowed() {
        for seed in [0, 1, 71, u64::MAX] {
            let names: HashSet<_> = (0..500).map(|player| nickname(seed, player).to_lowercase()).collect();
            assert_eq!(names.len(), 500);
            for name in names {
                assert!((2..=50).contains(&name.chars().count()), "{name}");
                let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || ('가'..='힣').contains(&c);
                assert!(name.chars().all(allowed), "{name}");
            }
        }
    }
}
