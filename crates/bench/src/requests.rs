//! What is asked: requests, and streams of them that the load generator sends.

use std::fmt::Write;

/// Stands in a path or a body for a number that no other request has.
pub(crate) const NUMBER: &str = "@N@";

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) if_match: Option<String>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            ..Self::default()
        }
    }

    pub(crate) fn post(path: &str, body: String) -> Self {
        Self {
            method: "POST",
            path: path.to_owned(),
            body,
            ..Self::default()
        }
    }
}

/// Requests without end.
#[derive(Debug, Clone)]
pub(crate) enum Stream {
    /// These, over and over again.
    Cycle(Vec<Request>),
    /// The same with another number each time.
    Numbered(Request),
    /// Merge patches of these records, over and over again, each naming the version that the one before made. All of
    /// them start at version 1.
    Patches { paths: Vec<String>, bodies: Vec<String> },
}

impl Stream {
    /// The request with a number.
    pub(crate) fn request(&self, number: usize) -> Request {
        match self {
            Self::Cycle(requests) => requests[number % requests.len()].clone(),
            Self::Numbered(request) => Request {
                body: request.body.replace(NUMBER, &number.to_string()),
                ..request.clone()
            },
            Self::Patches { paths, bodies } => {
                let round = number / paths.len();
                Request {
                    method: "PATCH",
                    path: paths[number % paths.len()].clone(),
                    body: bodies[round % bodies.len()].clone(),
                    if_match: Some(format!("\"{}\"", round + 1)),
                }
            }
        }
    }

    /// The same stream as a script for wrk, beginning at a number.
    pub(crate) fn script(&self, token: &str, first: usize) -> String {
        let mut script = format!(
            "{COMMON}local n = {first}\nwrk.headers[\"Authorization\"] = {}\n",
            quoted(&format!("Bearer {token}"))
        );
        match self {
            Self::Cycle(requests) => {
                script += "local list = {}\ninit = function()\n";
                for request in requests {
                    let body = if request.body.is_empty() {
                        "nil".to_owned()
                    } else {
                        quoted(&request.body)
                    };
                    // Writing to a text cannot fail.
                    let _ = writeln!(
                        script,
                        "  list[#list + 1] = wrk.format({}, {}, nil, {body})",
                        quoted(request.method),
                        quoted(&request.path)
                    );
                }
                script += "end\nrequest = function()\n  n = n + 1\n  return list[n % #list + 1]\nend\n";
            }
            Self::Numbered(request) => {
                let (method, path, body) = (quoted(request.method), quoted(&request.path), quoted(&request.body));
                let _ = write!(
                    script,
                    "local body = {body}\nrequest = function()\n  n = n + 1\n  \
                     return wrk.format({method}, {path}, nil, (body:gsub({}, n)))\nend\n",
                    quoted(NUMBER)
                );
            }
            // wrk asks for the first request once without sending it. It must not be missing: the next one to the same record
            // would name a version that it does not have.
            Self::Patches { paths, bodies } => {
                let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(",");
                let _ = write!(
                    script,
                    "local paths = {{{}}}\nlocal bodies = {{{}}}\nlocal headers = {{}}\n\
                     for name, value in pairs(wrk.headers) do headers[name] = value end\n\
                     local was_asked = false\nrequest = function()\n  local round = math.floor(n / #paths)\n  \
                     headers[\"If-Match\"] = '\"' .. (round + 1) .. '\"'\n  \
                     local path, body = paths[n % #paths + 1], bodies[round % #bodies + 1]\n  \
                     if was_asked then n = n + 1 end\n  was_asked = true\n  \
                     return wrk.format(\"PATCH\", path, headers, body)\nend\n",
                    list(paths),
                    list(bodies)
                );
            }
        }
        script
    }
}

/// What every script has: how the result is told.
const COMMON: &str = r#"
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("\nRESULT %d %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
"#;

/// A text as Lua writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_names_the_version_that_the_one_before_made() {
        let stream = Stream::Patches {
            paths: vec!["/a".into(), "/b".into()],
            bodies: vec!["1".into(), "2".into()],
        };
        let sent: Vec<_> = (0..5).map(|n| stream.request(n)).collect();
        let told: Vec<_> = sent
            .iter()
            .map(|request| {
                format!(
                    "{}{}{}",
                    request.path,
                    request.body,
                    request.if_match.as_deref().unwrap()
                )
            })
            .collect();
        assert_eq!(told, ["/a1\"1\"", "/b1\"1\"", "/a2\"2\"", "/b2\"2\"", "/a1\"3\""]);
    }

    #[test]
    fn no_two_numbered_requests_are_the_same() {
        let stream = Stream::Numbered(Request::post("/x", format!("{NUMBER}-{NUMBER}")));
        assert_eq!(stream.request(7).body, "7-7");
        assert_eq!(stream.request(8).body, "8-8");
    }

    #[test]
    fn texts_are_quoted_as_lua_reads_them() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
