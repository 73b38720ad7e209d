//! Text search: the one form in which texts are kept and looked for, and what a search must contain.

use crate::fault::Fault;

/// The fewest characters that the trigram indexes of both databases can look up.
const INDEXED: usize = 3;
/// The most words of a search.
const MOST_WORDS: usize = 16;
/// The most characters of a search.
const MOST_CHARACTERS: usize = 200;

/// The form in which texts are compared: ASCII letters for those of other scripts, lower case, single spaces.
///
/// `fold("  Café\tŽižkov ")` is `cafe zizkov`.
pub fn fold(text: &str) -> String {
    // Transliteration drops control characters, which would join the words on both sides.
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let ascii = deunicode::deunicode_with_tofu(&spaced, " ").to_ascii_lowercase();
    let words = ascii.split(|c: char| c.is_ascii_whitespace() || c.is_ascii_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What is kept to find a record by: its texts, folded.
pub fn folded<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    fold(&texts.into_iter().collect::<Vec<_>>().join(" "))
}

/// A checked search: each word must stand somewhere in the record's folded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    words: Vec<String>,
    short_words: Vec<String>,
}

impl Search {
    /// Reads what a client looks for. The code of the fault is `too_short` when no word has three characters.
    pub fn parse(text: &str, pointer: &str) -> Result<Self, Fault> {
        if text.chars().count() > MOST_CHARACTERS {
            let message = format!("must have at most {MOST_CHARACTERS} characters");
            return Err(Fault::new(pointer, "too_long", message));
        }
        let folded = fold(text);
        let (words, short_words): (Vec<_>, Vec<_>) = folded
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .partition(|word| word.len() >= INDEXED);
        if words.is_empty() {
            let message = format!("needs a word of at least {INDEXED} characters");
            return Err(Fault::new(pointer, "too_short", message));
        }
        if words.len() + short_words.len() > MOST_WORDS {
            return Err(Fault::new(
                pointer,
                "too_many",
                format!("must have at most {MOST_WORDS} words"),
            ));
        }
        Ok(Self { words, short_words })
    }

    /// The words that an index can look up, folded; at least one.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The words that are too short for the index, folded.
    pub fn short_words(&self) -> &[String] {
        &self.short_words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_scripts_case_and_space() {
        assert_eq!(fold("  Café\tŽižkov\u{0}\n"), "cafe zizkov");
        assert_eq!(fold("ÆØÅ Straße"), "aeoa strasse");
        assert_eq!(fold("+49 30/123-4"), "+49 30/123-4");
        assert_eq!(folded(["Acme", "ACME GmbH"]), "acme acme gmbh");
    }

    #[test]
    fn splits_words_by_what_the_index_can_do() {
        let search = Search::parse("Acme co \"x\" é", "?q").unwrap();
        assert_eq!(search.words(), ["acme", "\"x\""]);
        assert_eq!(search.short_words(), ["co", "e"]);
        assert_eq!(Search::parse("a bc", "?q").unwrap_err().code, "too_short");
        assert_eq!(Search::parse("", "?q").unwrap_err().code, "too_short");
        assert_eq!(Search::parse(&"x".repeat(201), "?q").unwrap_err().code, "too_long");
    }
}
