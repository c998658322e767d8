//! A source file as `tidy` looks at it: words without comments, texts apart, and paths written out in full.
//!
//! It is no parser of Rust. It knows what comments, texts and `use` trees look like, which is enough for the rules.

/// A file, cut into words.
pub(super) struct Source {
    /// From the root of the repository.
    pub(super) path: String,
    /// `rooms::board` for `src/rooms/board.rs`.
    pub(super) module: String,
    words: Vec<String>,
    texts: Vec<String>,
}

impl Source {
    pub(super) fn read(path: &str, text: &str) -> Self {
        let (words, texts) = cut(text);
        let module = path.trim_start_matches("src/").trim_end_matches(".rs").replace('/', "::");
        Self { path: path.to_owned(), module, words, texts }
    }

    /// What it names of the crate, by `crate::`, `super::` and `self::`, without these.
    pub(super) fn own_paths(&self) -> Vec<String> {
        let own = |(module, path): (String, String)| {
            let (head, rest) = path.split_once("::")?;
            match head {
                "crate" => Some(rest.to_owned()),
                "self" => Some(format!("{module}::{rest}")),
                "super" => Some(upwards(&module, rest)),
                _ => None,
            }
        };
        self.paths().into_iter().filter_map(own).collect()
    }

    /// What it names of other crates; also paths that begin with something it has imported.
    pub(super) fn foreign_paths(&self) -> Vec<String> {
        let own = ["crate::", "self::", "super::"];
        let paths = self.paths().into_iter().map(|(_, path)| path);
        paths.filter(|path| !own.iter().any(|head| path.starts_with(head))).collect()
    }

    /// Every path, with the module in which it is written: the file's own, or one within it.
    fn paths(&self) -> Vec<(String, String)> {
        let mut paths = Vec::new();
        // The braces that are open; those of a module have its name.
        let mut open: Vec<Option<&str>> = Vec::new();
        let mut at = 0;
        while at < self.words.len() {
            let before = if at == 0 { "" } else { self.word(at - 1) };
            let mut found = Vec::new();
            match self.word(at) {
                // Not what a returned type captures: `impl Future + use<'a>`.
                "use" if self.word(at + 1) != "<" => at = use_tree(&self.words, at + 1, "", &mut found),
                "{" => open.push((at > 1 && self.word(at - 2) == "mod").then_some(before)),
                "}" => drop(open.pop()),
                word if is_name(word) && self.word(at + 1) == "::" && before != "::" => {
                    let mut path = word.to_owned();
                    while self.word(at + 1) == "::" && is_name(self.word(at + 2)) {
                        path = format!("{path}::{}", self.words[at + 2]);
                        at += 2;
                    }
                    found.push(path);
                }
                _ => {}
            }
            let within: Vec<_> = [self.module.as_str()].into_iter().chain(open.iter().copied().flatten()).collect();
            paths.extend(found.into_iter().map(|path| (within.join("::"), path)));
            at += 1;
        }
        paths
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// Whether it says a word, outside comments and texts.
    pub(super) fn says(&self, word: &str) -> bool {
        self.words.iter().any(|said| said == word)
    }

    /// Whether it calls a function or method of this name. A function of its own may be called so.
    pub(super) fn calls(&self, name: &str) -> bool {
        let at_call = |at: usize| self.words[at] == name && self.word(at + 1) == "(";
        (1..self.words.len()).any(|at| at_call(at) && matches!(self.words[at - 1].as_str(), "." | "::"))
    }

    /// Types and numbers with a floating point.
    pub(super) fn floats(&self) -> Vec<String> {
        let is_type = |word: &str| word == "f32" || word == "f64";
        let is_number = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_digit())
                && !word.starts_with("0x")
                && (word.contains('.') || word.ends_with("f32") || word.ends_with("f64"))
        };
        self.words.iter().filter(|word| is_type(word) || is_number(word)).cloned().collect()
    }

    /// The tables that its statements insert into, update or delete from.
    pub(super) fn tables_written(&self) -> Vec<String> {
        let mut tables = Vec::new();
        for text in &self.texts {
            let words: Vec<_> = text
                .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
                .filter(|word| !word.is_empty())
                .collect();
            for at in 0..words.len() {
                let table = match (words[at], words.get(at + 1).copied(), words.get(at + 2).copied()) {
                    ("insert", Some("into"), table) | ("delete", Some("from"), table) => table,
                    ("update", table, Some("set" | "as")) if at == 0 || words[at - 1] != "for" => table,
                    ("truncate", table, _) if text.trim_start().starts_with("truncate") => table,
                    _ => None,
                };
                tables.extend(table.map(str::to_owned));
            }
        }
        tables
    }
}

/// `super::super::a` of `x::y::z` is `x::a`; at the top it is the crate's own.
fn upwards(module: &str, rest: &str) -> String {
    let mut module: Vec<_> = module.split("::").collect();
    module.pop();
    let mut rest = rest;
    while let Some(further) = rest.strip_prefix("super::") {
        module.pop();
        rest = further;
    }
    module.push(rest);
    module.join("::")
}

/// Writes out one tree of a `use` and answers where it ends.
fn use_tree(words: &[String], mut at: usize, before: &str, paths: &mut Vec<String>) -> usize {
    let mut path = before.to_owned();
    while let Some(word) = words.get(at) {
        match word.as_str() {
            "::" => {}
            "{" => {
                at += 1;
                while words.get(at).is_some_and(|word| word != "}") {
                    at = use_tree(words, at, &path, paths);
                    if words.get(at).is_some_and(|word| word == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "as" => at += 1,
            "," | "}" | ";" => break,
            name => path = if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") },
        }
        at += 1;
    }
    // `use a::{self}` names a.
    paths.push(path.strip_suffix("::self").unwrap_or(&path).to_owned());
    at
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words of the code, and the texts in it.
fn cut(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut words, mut texts) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_text(rest) {
            texts.push(rest[..length].trim_start_matches(['b', 'r', '#', '"']).to_owned());
            length
        } else if first == '"' {
            let length = text_end(rest);
            texts.push(rest[1..length - 1].to_owned());
            length
        } else if first == '\'' {
            letter_end(rest)
        } else if is_part_of_name(first) {
            let length = name_end(rest);
            words.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            words.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    (words, texts)
}

/// The length of a raw text, if one begins here.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let head = rest.len() - inside.len();
    Some(inside.find(&end).map_or(rest.len(), |at| head + at + end.len()))
}

fn text_end(rest: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A letter in quotes, or the quote of a lifetime.
fn letter_end(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), Some((escaped, _))) => {
            rest[escaped + 1..].find('\'').map_or(rest.len(), |end| escaped + 1 + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// A name or a number; a number may have a point with digits after it, as `1.5` and unlike `1..5` or `1.max(2)`.
fn name_end(rest: &str) -> usize {
    let end = |rest: &str| rest.find(|letter| !is_part_of_name(letter)).unwrap_or(rest.len());
    let whole = end(rest);
    let is_number = rest.starts_with(|first: char| first.is_ascii_digit());
    match rest[whole..].strip_prefix('.') {
        Some(part) if is_number && part.starts_with(|first: char| first.is_ascii_digit()) => whole + 1 + end(part),
        _ => whole,
    }
}

/// The hosts of all addresses in a text.
pub(super) fn hosts(text: &str) -> Vec<String> {
    let after_scheme =
        text.match_indices("://").filter(|(at, _)| text[..*at].ends_with("http") || text[..*at].ends_with("https"));
    let authority = |(at, scheme): (usize, &str)| {
        let rest = &text[at + scheme.len()..];
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || ".-:[]".contains(letter)));
        let authority = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ':', ']', '-']);
        let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
        host.map_or(authority, |(host, _)| host).to_owned()
    };
    // One that is put together when the program runs has no host here.
    after_scheme.map(authority).filter(|host| !host.is_empty()).collect()
}
