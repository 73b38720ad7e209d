//! From the statement log of PostgreSQL to scripts for pgbench: what a request made Rapport ask of the database, to be
//! asked again without Rapport.

use std::collections::BTreeMap;
use std::fmt::Write;
use uuid::Uuid;

/// A statement as it was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    text: String,
    /// The bound values, by number from 1; none where it was NULL.
    values: Vec<Option<String>>,
}

impl Statement {
    /// One that was not logged: `$1` and so on stand for the values.
    pub(crate) fn of(text: &str, values: impl IntoIterator<Item = String>) -> Self {
        Self {
            text: text.to_owned(),
            values: values.into_iter().map(Some).collect(),
        }
    }
}

/// What pgbench is given: a script, and the variables that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) variables: Vec<(String, String)>,
}

/// The statements in a part of the log.
pub(crate) fn read_log(log: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for entry in entries(log) {
        if let Some(text) = after(&entry, "LOG:  statement: ").or_else(|| {
            let execute = after(&entry, "LOG:  execute ")?;
            execute.split_once(": ").map(|(_, text)| text)
        }) {
            statements.push(Statement {
                text: text.to_owned(),
                values: Vec::new(),
            });
        } else if let Some(values) =
            after(&entry, "DETAIL:  parameters: ").or_else(|| after(&entry, "DETAIL:  Parameters: "))
            && let Some(last) = statements.last_mut()
        {
            last.values = read_values(values);
        }
    }
    statements
}

/// Lines of the log; one that begins with a tab goes on with the one before.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(more), Some(entry)) => {
                entry.push('\n');
                entry.push_str(more);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

fn after<'a>(entry: &'a str, mark: &str) -> Option<&'a str> {
    // What stands before it, the time and the process, has no colon followed by two spaces.
    let start = entry.find(":  ")?;
    let at = entry.find(mark)?;
    (at < start).then(|| &entry[at + mark.len()..])
}

/// `$1 = 'it''s', $2 = NULL`
fn read_values(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, value)) = rest.split_once(" = ") {
        if let Some(more) = value.strip_prefix("NULL") {
            values.push(None);
            rest = more;
            continue;
        }
        let mut content = String::new();
        let mut more = value.strip_prefix('\'').unwrap_or_default();
        while let Some((part, behind)) = more.split_once('\'') {
            content.push_str(part);
            // A quote within is doubled.
            let Some(behind_both) = behind.strip_prefix('\'') else {
                more = behind;
                break;
            };
            content.push('\'');
            more = behind_both;
        }
        values.push(Some(content));
        rest = more;
    }
    values
}

/// A script that asks the same again. `name` tells its variables from those of other scripts, `since` when the request
/// was sent, in milliseconds: ids made after that are made anew in each transaction, in an order like theirs.
pub(crate) fn script(statements: &[Statement], name: usize, since: u64) -> Script {
    let mut fresh: BTreeMap<String, usize> = BTreeMap::new();
    let mut variables = BTreeMap::new();
    let mut text = String::new();
    for (index, statement) in statements.iter().enumerate() {
        let mut put = |number: usize| match statement.values.get(number - 1) {
            Some(Some(value)) if is_made_since(value, since) => {
                let next = fresh.len();
                let id = *fresh.entry(value.clone()).or_insert(next);
                format!(
                    "(:made || '{name:01x}{id:02x}-8000-' || lpad(to_hex(:n::bigint * 256 + :client_id::bigint), 12, '0'))::uuid"
                )
            }
            Some(Some(value)) => {
                let variable = format!("v{name}_{index}_{number}");
                variables.insert(variable.clone(), value.clone());
                format!(":{variable}")
            }
            _ => "NULL".to_owned(),
        };
        let bound = bind(&statement.text.replace('\n', " "), &mut put);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{bound};");
    }
    if !fresh.is_empty() {
        text.insert_str(0, "\\set n :n + 1\n");
    }
    Script {
        text,
        variables: variables.into_iter().collect(),
    }
}

/// Puts something in place of each `$1`.
fn bind(text: &str, put: &mut impl FnMut(usize) -> String) -> String {
    let mut bound = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        bound.push_str(before);
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        match after[..digits].parse() {
            Ok(number) => bound.push_str(&put(number)),
            Err(_) => bound.push('$'),
        }
        rest = &after[digits..];
    }
    bound.push_str(rest);
    bound
}

impl Script {
    /// The script of a change of one row, made one of a change of another row each time: of that which the table
    /// `bench_rows` has under a number that no other connection uses. Whatever version the row has is followed by the next.
    pub(crate) fn over_rows(mut self, id: &str, table: &str) -> Self {
        let named: Vec<_> = self
            .variables
            .iter()
            .filter(|(_, value)| value == id)
            .map(|(name, _)| format!(":{name}"))
            .collect();
        let mut locked = false;
        let mut lines = vec![format!("\\set row random(0, {}) * 64 + :client_id", ROWS / 64 - 1)];
        for line in self.text.lines() {
            let mut line = line.to_owned();
            let locks = !locked && line.contains("FOR UPDATE");
            for name in &named {
                let row = if locks {
                    "(SELECT id FROM bench_rows WHERE n = :row)"
                } else {
                    ":id"
                };
                line = replace_variable(&line, name, row);
            }
            if locks {
                locked = true;
                line = line.replace(';', " \\gset");
            }
            if line.starts_with("UPDATE") {
                line = replace_after(&line, "SET \"version\" = ", &format!("\"{table}\".\"version\" + 1"));
                line = replace_after(
                    &line,
                    &format!("\"{table}\".\"version\" = "),
                    &format!("\"{table}\".\"version\""),
                );
            }
            lines.push(line);
        }
        self.text = lines.join("\n") + "\n";
        self
    }
}

/// Rows of the table `bench_rows`.
pub(crate) const ROWS: usize = 1024;

/// Puts a text in place of a variable, but not of one whose name only begins alike.
fn replace_variable(line: &str, name: &str, with: &str) -> String {
    let mut parts = line.split(name);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        replaced.push_str(if part.starts_with(|c: char| c.is_ascii_digit()) {
            name
        } else {
            with
        });
        replaced.push_str(part);
    }
    replaced
}

/// Puts a text in place of the variable behind a mark.
fn replace_after(line: &str, mark: &str, with: &str) -> String {
    let Some((before, behind)) = line.split_once(mark) else {
        return line.to_owned();
    };
    let end = behind.find([',', ')', ' ', ';']).unwrap_or(behind.len());
    format!("{before}{mark}{with}{}", &behind[end..])
}

fn is_made_since(value: &str, since: u64) -> bool {
    let made = Uuid::parse_str(value).ok().and_then(|id| id.get_timestamp());
    made.is_some_and(|at| at.to_unix().0 * 1000 + u64::from(at.to_unix().1) / 1_000_000 >= since)
}

/// The beginning of a UUIDv7 of that time, up to its version: what the variable `made` is to hold. The variable `n` is
/// to be 0 at first.
pub(crate) fn prefix(millis: u64) -> String {
    format!("{:08x}-{:04x}-7", millis >> 16, millis & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-11-22 05:00:00.000 UTC [42] LOG:  statement: BEGIN\n\
        2026-11-22 05:00:00.001 UTC [42] LOG:  execute __diesel_stmt_3: SELECT a FROM b\n\tWHERE c = $2 AND d = $1\n\
        2026-11-22 05:00:00.001 UTC [42] DETAIL:  parameters: $1 = 'it''s, $2 = ''', $2 = NULL\n\
        2026-11-22 05:00:00.002 UTC [42] LOG:  execute <unnamed>: COMMIT\n";

    #[test]
    fn statements_and_their_values_are_read_from_a_log() {
        let read = read_log(LOG);
        let texts: Vec<_> = read.iter().map(|statement| statement.text.as_str()).collect();
        assert_eq!(texts, ["BEGIN", "SELECT a FROM b\nWHERE c = $2 AND d = $1", "COMMIT"]);
        assert_eq!(read[1].values, [Some("it's, $2 = '".to_owned()), None]);
    }

    #[test]
    fn values_become_variables() {
        let script = script(&read_log(LOG), 5, 0);
        assert_eq!(
            script.text,
            "BEGIN;\nSELECT a FROM b WHERE c = NULL AND d = :v5_1_1;\nCOMMIT;\n"
        );
        assert_eq!(script.variables, [("v5_1_1".to_owned(), "it's, $2 = '".to_owned())]);
    }

    #[test]
    fn plain_statements_become_scripts_like_those_of_the_log() {
        let text = "SELECT a FROM b WHERE c = $2 AND d LIKE $1 AND e = $2 LIMIT 20";
        let statement = Statement::of(text, ["%it's%".to_owned(), Uuid::nil().to_string()]);
        let script = script(&[statement], 7, u64::MAX);
        assert_eq!(
            script.text,
            "SELECT a FROM b WHERE c = :v7_0_2 AND d LIKE :v7_0_1 AND e = :v7_0_2 LIMIT 20;\n"
        );
        let values: Vec<_> = script.variables.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["%it's%", "00000000-0000-0000-0000-000000000000"]);
    }

    #[test]
    fn a_change_of_one_row_becomes_one_of_many() {
        let text = "SELECT id FROM t WHERE id = :v0_0_1 FOR UPDATE;\n\
            UPDATE \"t\" SET \"version\" = :v0_1_1, \"a\" = :v0_1_10 WHERE (\"t\".\"id\" = :v0_1_3) AND (\"t\".\"version\" = :v0_1_4);\n";
        let variables = [
            ("v0_0_1", "x"),
            ("v0_1_1", "2"),
            ("v0_1_10", "y"),
            ("v0_1_3", "x"),
            ("v0_1_4", "1"),
        ];
        let script = Script {
            text: text.to_owned(),
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        };
        let lines: Vec<_> = script.over_rows("x", "t").text.lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "\\set row random(0, 15) * 64 + :client_id",
                "SELECT id FROM t WHERE id = (SELECT id FROM bench_rows WHERE n = :row) FOR UPDATE \\gset",
                "UPDATE \"t\" SET \"version\" = \"t\".\"version\" + 1, \"a\" = :v0_1_10 WHERE (\"t\".\"id\" = :id) AND (\"t\".\"version\" = \"t\".\"version\");",
            ]
        );
    }

    #[test]
    fn ids_that_the_request_made_are_made_anew() {
        let id = Uuid::now_v7();
        let log = format!(
            "T [1] LOG:  execute x: INSERT INTO a VALUES ($1, $2)\nT [1] DETAIL:  parameters: $1 = '{id}', $2 = '{}'\n",
            Uuid::nil()
        );
        let script = script(&read_log(&log), 0, 1_700_000_000_000);
        assert!(
            script
                .text
                .starts_with("\\set n :n + 1\nINSERT INTO a VALUES ((:made || '000-8000-'"),
            "{}",
            script.text
        );
        assert!(script.text.contains(":v0_0_2"), "{}", script.text);
        assert!(Uuid::parse_str(&format!("{}000-8000-000000000000", prefix(1_700_000_000_000))).is_ok());
    }
}
