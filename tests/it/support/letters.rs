//! Letters that the server has written, and the codes in them.

use super::{World, until};

impl World {
    /// Waits until so many letters have been written; the oldest first.
    pub(crate) async fn letters(&self, count: usize) -> Vec<String> {
        let folder = self.letters.path();
        until("the letters", || async {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
            files.sort();
            let letters: Vec<_> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
            // One that is just being written is not whole.
            (letters.len() >= count && letters.iter().all(|letter| letter.contains("\r\n\r\n"))).then_some(letters)
        })
        .await
    }
}

/// As it is encoded, in one line.
pub(crate) fn subject_of(letter: &str) -> String {
    let head = letter.replace("\r\n ", " ");
    head.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap().to_owned()
}

/// The six digits at the end of the subject.
pub(crate) fn code_in(letter: &str) -> String {
    let subject = subject_of(letter);
    let (_, code) = subject.rsplit_once(' ').unwrap();
    assert!(matches!(code.len(), 6 | 8) && code.bytes().all(|sign| sign.is_ascii_alphanumeric()), "{subject}");
    code.to_owned()
}
