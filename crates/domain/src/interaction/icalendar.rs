//! Writes iCalendar (RFC 5545): content lines, folded and escaped, in a fixed order, so that the same calendar is always
//! the same text and has the same `ETag`.

use chrono::{NaiveDate, NaiveDateTime};
use sql::Timestamp;
use std::fmt::{Display, Write};

/// Octets of a line at most, its end not counted (section 3.1).
const LINE: usize = 75;

/// A calendar that is being written.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    text: String,
}

impl Calendar {
    /// Writes a component: `BEGIN`, what is inside, `END`.
    pub(crate) fn component(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.value("BEGIN", name);
        inside(self);
        self.value("END", name);
    }

    /// A property whose value is free text. Its name may have parameters.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.value(name, escaped(text));
    }

    /// A property whose value is free text, if there is one.
    pub(crate) fn optional_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(name, text);
        }
    }

    /// A property whose value needs no escaping.
    pub(crate) fn value(&mut self, name: &str, value: impl Display) {
        let line = format!("{name}:{value}");
        let mut rest = line.as_str();
        let mut room = LINE;
        while rest.len() > room {
            let cut = (0..=room).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
            let (part, after) = rest.split_at(cut);
            self.text.push_str(part);
            self.text.push_str("\r\n ");
            rest = after;
            // The space that marks the rest of a line counts as well.
            room = LINE - 1;
        }
        self.text.push_str(rest);
        self.text.push_str("\r\n");
    }

    /// The text as it was written so far.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Free text as a value (section 3.3.11). Control characters, which have no form there, are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\t' => escaped.push('\t'),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// An instant: `20260131T093000Z`.
pub(crate) fn instant(instant: Timestamp) -> String {
    instant.utc().format("%Y%m%dT%H%M%SZ").to_string()
}

/// A time by local clocks: `20260131T093000`.
pub(crate) fn local(time: NaiveDateTime) -> String {
    time.format("%Y%m%dT%H%M%S").to_string()
}

/// A day: `20260131`.
pub(crate) fn day(day: NaiveDate) -> String {
    day.format("%Y%m%d").to_string()
}

/// How far a zone is ahead of UTC: `+0530`, with seconds only where there are any.
pub(crate) fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let mut text = format!("{sign}{:02}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, "{:02}", seconds % 60);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text as a reader of the calendar understands it.
    fn read(calendar: &str) -> String {
        let unfolded = calendar.replace("\r\n ", "");
        let value = unfolded.strip_prefix("SUMMARY:").unwrap().strip_suffix("\r\n").unwrap();
        let mut characters = value.chars();
        let mut text = String::new();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some('n') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => panic!("nothing is escaped"),
                },
                other => text.push(other),
            }
        }
        text
    }

    proptest! {
        #[test]
        fn any_text_is_one_folded_property_and_reads_back(text in "[^\\p{Cc}]{0,300}|([a-zäß🎉;,:\\\\\"\n]{0,300})") {
            let mut calendar = Calendar::default();
            calendar.text("SUMMARY", &text);
            let written = calendar.finish();
            prop_assert_eq!(read(&written), text);
            let lines: Vec<_> = written.strip_suffix("\r\n").unwrap().split("\r\n").collect();
            prop_assert!(lines.iter().all(|line| line.len() <= LINE), "no line is too long");
            prop_assert!(lines.iter().skip(1).all(|line| line.starts_with(' ')), "nothing begins a line of its own");
        }

        #[test]
        fn no_text_breaks_out_of_its_line(text in ".{0,40}\r\nBEGIN:VEVENT\r.{0,40}\u{85}\u{0}") {
            let mut calendar = Calendar::default();
            calendar.text("SUMMARY", &text);
            let written = calendar.finish().replace("\r\n ", "");
            prop_assert!(written.ends_with("\r\n"));
            prop_assert_eq!(written.matches(['\r', '\n', '\u{0}', '\u{85}']).count(), 2);
        }
    }

    #[test]
    fn offsets_have_seconds_where_there_are_any() {
        assert_eq!(offset(19_800), "+0530");
        assert_eq!(offset(-12_600), "-0330");
        assert_eq!(offset(1_172), "+001932");
    }
}
