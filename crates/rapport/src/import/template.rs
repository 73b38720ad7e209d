//! Templates over columns: `by/maven/{account}`. A brace that stands for itself is written twice.

/// A parsed template; columns are positions in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(usize),
}

impl Template {
    /// Parses `text`, looking columns up by `find`; the error says what is wrong with the text.
    pub(super) fn parse(text: &str, find: impl Fn(&str) -> Result<usize, String>) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let tail = &rest[at + 1..];
            if tail.starts_with(brace) {
                literal.push_str(brace);
                rest = &tail[1..];
                continue;
            }
            let end = tail.find('}').filter(|_| brace == "{").ok_or_else(|| {
                format!(
                    "`{text}` has a `{brace}` without its partner (a brace that stands for itself is written twice)"
                )
            })?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Column(find(tail[..end].trim())?));
            rest = &tail[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }

    /// The text for a row, or nothing when a column it names is empty there.
    pub(super) fn render(&self, cells: &[String]) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Column(index) => match cells.get(*index) {
                    Some(cell) if !cell.is_empty() => text.push_str(cell),
                    _ => return None,
                },
            }
        }
        Some(text)
    }

    /// Whether it is the same for every row.
    pub(super) fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, String> {
        Template::parse(text, |name| {
            ["a", "b"]
                .iter()
                .position(|known| *known == name)
                .ok_or(format!("no {name}"))
        })
    }

    fn render(text: &str) -> Option<String> {
        parse(text).unwrap().render(&["one".into(), String::new()])
    }

    #[test]
    fn columns_are_filled_in() {
        assert_eq!(render("by/maven/{a}").as_deref(), Some("by/maven/one"));
        assert_eq!(render("{ a }{a}").as_deref(), Some("oneone"));
        assert_eq!(render("plain").as_deref(), Some("plain"));
    }

    #[test]
    fn an_empty_column_empties_the_whole() {
        assert_eq!(render("{a} {b}"), None);
    }

    #[test]
    fn doubled_braces_stand_for_themselves() {
        assert_eq!(render("{{{a}}}").as_deref(), Some("{one}"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse("{a").unwrap_err().contains('{'));
        assert!(parse("a}").unwrap_err().contains('}'));
        assert_eq!(parse("{c}").unwrap_err(), "no c");
    }
}
