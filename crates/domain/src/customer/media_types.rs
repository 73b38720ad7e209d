//! Media types (RFC 9110 section 8.3.1): what a file says it is, and which ones are taken.

use std::fmt;
use std::str::FromStr;

/// Characters of a media type with its parameters at most.
pub const MOST_CHARACTERS: usize = 255;

/// A media type with its parameters, such as `text/plain; charset=utf-8`: the names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    text: String,
    essence: usize,
}

impl MediaType {
    /// The type without its parameters.
    pub fn essence(&self) -> &str {
        &self.text[..self.essence]
    }

    /// What a body is when nobody says what it is (RFC 9110 section 8.3).
    pub fn unknown() -> Self {
        let text = "application/octet-stream".to_owned();
        Self {
            essence: text.len(),
            text,
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that is no media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a media type such as application/pdf")]
pub struct NoMediaType;

impl FromStr for MediaType {
    type Err = NoMediaType;

    fn from_str(text: &str) -> Result<Self, NoMediaType> {
        let (essence, parameters) = text.split_once(';').map_or((text, None), |(e, p)| (e, Some(p)));
        let essence = essence.trim().to_ascii_lowercase();
        let parts = essence.split_once('/').ok_or(NoMediaType)?;
        let parameters = parameters.map(str::trim).filter(|parameters| !parameters.is_empty());
        let is_plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_token(parts.0) || !is_token(parts.1) || !parameters.is_none_or(is_plain) {
            return Err(NoMediaType);
        }
        let length = essence.len();
        let text = parameters.map_or(essence.clone(), |parameters| format!("{essence}; {parameters}"));
        if text.len() > MOST_CHARACTERS {
            return Err(NoMediaType);
        }
        Ok(Self { text, essence: length })
    }
}

/// A token of RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_of_token)
}

/// Which media types are taken: `*`, or a list such as `application/pdf, image/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaTypes(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Any,
    /// Every type that begins like this: `image/`.
    Under(String),
    One(String),
}

impl MediaTypes {
    /// Whether a type is among them; parameters do not matter.
    pub fn take(&self, media_type: &MediaType) -> bool {
        let essence = media_type.essence();
        self.0.iter().any(|pattern| match pattern {
            Pattern::Any => true,
            Pattern::Under(start) => essence.starts_with(start.as_str()),
            Pattern::One(one) => essence == one,
        })
    }
}

impl FromStr for MediaTypes {
    type Err = NoMediaType;

    fn from_str(text: &str) -> Result<Self, NoMediaType> {
        let pattern = |text: &str| match text {
            "*" | "*/*" => Ok(Pattern::Any),
            text => match text.strip_suffix("/*") {
                Some(kind) if is_token(kind) => Ok(Pattern::Under(format!("{}/", kind.to_ascii_lowercase()))),
                _ => text
                    .parse()
                    .map(|one: MediaType| Pattern::One(one.essence().to_owned())),
            },
        };
        let patterns: Vec<_> = text.split(',').map(str::trim).map(pattern).collect::<Result<_, _>>()?;
        Ok(Self(patterns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_media_type_has_one_form() {
        for (sent, kept) in [
            ("application/pdf", "application/pdf"),
            (" Text/HTML;Charset=UTF-8 ", "text/html; Charset=UTF-8"),
            ("image/svg+xml ; ", "image/svg+xml"),
            (r#"text/plain; name="a b""#, r#"text/plain; name="a b""#),
        ] {
            assert_eq!(sent.parse::<MediaType>().unwrap().to_string(), kept);
        }
        let long = format!("text/{}", "x".repeat(MOST_CHARACTERS));
        for text in [
            "",
            "pdf",
            "/",
            "a/",
            "/b",
            "a b/c",
            "a/b/c",
            "a/b\r\nX: y",
            "a/b; c=é",
            &long,
        ] {
            assert_eq!(text.parse::<MediaType>(), Err(NoMediaType), "{text}");
        }
    }

    #[test]
    fn a_list_says_which_types_are_taken() {
        let list: MediaTypes = "application/PDF, image/*".parse().unwrap();
        for (text, taken) in [
            ("application/pdf; version=1.7", true),
            ("image/png", true),
            ("imagery/png", false),
            ("text/html", false),
        ] {
            assert_eq!(list.take(&text.parse().unwrap()), taken, "{text}");
        }
        let all: MediaTypes = "*".parse().unwrap();
        assert!(all.take(&MediaType::unknown()) && !list.take(&MediaType::unknown()));
        for text in ["", "pdf", "image/*, ", "*/png"] {
            // `*` is a character of tokens, so `*/png` is a type like any other, and no file has it.
            assert_eq!(text.parse::<MediaTypes>().is_err(), text != "*/png", "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_reads_back(text in "\\PC{0,40}") {
            if let Ok(media_type) = text.parse::<MediaType>() {
                prop_assert_eq!(media_type.to_string().parse(), Ok(media_type.clone()));
                prop_assert!(media_type.to_string().starts_with(media_type.essence()));
            }
        }
    }
}
