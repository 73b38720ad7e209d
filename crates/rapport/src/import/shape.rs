//! Where values go: dotted targets (`organisation.industry`, `addresses.0.country`) become a tree that builds
//! the JSON of one record.

use serde_json::{Map, Value};

/// The shape of a record's JSON; leaves are positions in the list of fields.
#[derive(Debug)]
pub(super) enum Shape {
    Leaf(usize),
    Object(Vec<(String, Shape)>),
    Array(Vec<Shape>),
}

/// What a field gives for one row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing: the target is left out.
    Absent,
    /// Nothing, and the record's field is to be cleared.
    Clear,
    /// A value from the row.
    Row(Value),
    /// A value that is the same for every row.
    Constant(Value),
}

struct Built {
    value: Value,
    from_row: bool,
}

impl Shape {
    /// The tree of all targets, or what is wrong with one of them.
    pub(super) fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Result<Self, Vec<String>> {
        let mut root = Self::Object(Vec::new());
        let mut faults = Vec::new();
        for (field, path) in paths.enumerate() {
            if let Err(fault) = root.add(&path.split('.').collect::<Vec<_>>(), field) {
                faults.push(format!("target `{path}`: {fault}"));
            }
        }
        if let (true, Some(gap)) = (faults.is_empty(), root.gap()) {
            faults.push(format!("target `{gap}`: list positions start at 0 and leave none out"));
        }
        if faults.is_empty() { Ok(root) } else { Err(faults) }
    }

    fn add(&mut self, path: &[&str], field: usize) -> Result<(), String> {
        let Some((segment, rest)) = path.split_first().filter(|(segment, _)| !segment.is_empty()) else {
            return Err("it has an empty part".to_owned());
        };
        let slot = self.slot(segment)?;
        match (rest.first(), &slot) {
            (None, Self::Array(items)) if items.is_empty() => *slot = Self::Leaf(field),
            (None, _) => return Err("it is also the start of another target".to_owned()),
            (Some(_), Self::Leaf(_)) => return Err("a part of it is itself a target".to_owned()),
            (Some(next), Self::Array(items)) if items.is_empty() && !is_position(next) => {
                *slot = Self::Object(Vec::new());
                slot.add(rest, field)?;
            }
            _ => slot.add(rest, field)?,
        }
        Ok(())
    }

    /// The child for a segment; a new one starts as an empty list, which stands for "not decided yet".
    fn slot(&mut self, segment: &str) -> Result<&mut Self, String> {
        match self {
            Self::Object(children) => {
                let at = children
                    .iter()
                    .position(|(name, _)| name == segment)
                    .unwrap_or_else(|| {
                        children.push((segment.to_owned(), Self::Array(Vec::new())));
                        children.len() - 1
                    });
                Ok(&mut children[at].1)
            }
            Self::Array(items) => {
                let at: usize = segment
                    .parse()
                    .map_err(|_| format!("`{segment}` should be a position in a list"))?;
                if at >= 100 {
                    return Err(format!("position {at} is beyond 99"));
                }
                while items.len() <= at {
                    items.push(Self::Array(Vec::new()));
                }
                Ok(&mut items[at])
            }
            Self::Leaf(_) => Err("a part of it is itself a target".to_owned()),
        }
    }

    /// A list position that no target fills.
    fn gap(&self) -> Option<String> {
        match self {
            Self::Leaf(_) => None,
            Self::Object(children) => children
                .iter()
                .find_map(|(name, child)| child.gap().map(|gap| join(name, &gap))),
            Self::Array(items) if items.is_empty() => Some(String::new()),
            Self::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(at, item)| item.gap().map(|gap| join(&at.to_string(), &gap))),
        }
    }

    /// The JSON of one record. An element of a list that holds nothing from the row (only constants, such as a
    /// label) is left out, so that an empty address does not become an address.
    pub(super) fn build(&self, cells: &[Cell]) -> Value {
        self.built(cells)
            .map_or_else(|| Value::Object(Map::new()), |built| built.value)
    }

    fn built(&self, cells: &[Cell]) -> Option<Built> {
        match self {
            Self::Leaf(field) => match cells.get(*field)? {
                Cell::Absent => None,
                Cell::Clear => Some(Built {
                    value: Value::Null,
                    from_row: false,
                }),
                Cell::Row(value) => Some(Built {
                    value: value.clone(),
                    from_row: true,
                }),
                Cell::Constant(value) => Some(Built {
                    value: value.clone(),
                    from_row: false,
                }),
            },
            Self::Object(children) => {
                let mut object = Map::new();
                let mut from_row = false;
                for (name, child) in children {
                    if let Some(built) = child.built(cells) {
                        from_row |= built.from_row;
                        object.insert(name.clone(), built.value);
                    }
                }
                (!object.is_empty()).then_some(Built {
                    value: Value::Object(object),
                    from_row,
                })
            }
            Self::Array(items) => {
                let mut list = Vec::new();
                let mut from_row = false;
                for item in items {
                    let Some(built) = item.built(cells) else { continue };
                    let whole = built.from_row || item.all_constant(cells);
                    if whole && !built.value.is_null() {
                        from_row |= built.from_row;
                        list.push(built.value);
                    }
                }
                (!list.is_empty()).then_some(Built {
                    value: Value::Array(list),
                    from_row,
                })
            }
        }
    }

    fn all_constant(&self, cells: &[Cell]) -> bool {
        match self {
            Self::Leaf(field) => matches!(cells.get(*field), Some(Cell::Constant(_))),
            Self::Object(children) => children.iter().all(|(_, child)| child.all_constant(cells)),
            Self::Array(items) => items.iter().all(|item| item.all_constant(cells)),
        }
    }
}

fn is_position(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn join(head: &str, tail: &str) -> String {
    if tail.is_empty() {
        head.to_owned()
    } else {
        format!("{head}.{tail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(paths: &[&str]) -> String {
        Shape::of(paths.iter().copied()).err().unwrap_or_default().join("\n")
    }

    #[test]
    fn dotted_targets_become_objects_and_lists() {
        let paths = [
            "name",
            "organisation.industry",
            "organisation.employees",
            "addresses.0.country",
            "tags.0",
            "tags.1",
        ];
        let shape = Shape::of(paths.into_iter()).unwrap();
        let row = |value: Value| Cell::Row(value);
        let cells = [
            row(json!("Acme")),
            row(json!("retail")),
            Cell::Absent,
            row(json!("US")),
            Cell::Constant(json!("x")),
            Cell::Absent,
        ];
        assert_eq!(
            shape.build(&cells),
            json!({"name": "Acme", "organisation": {"industry": "retail"}, "addresses": [{"country": "US"}], "tags": ["x"]})
        );
    }

    #[test]
    fn a_list_element_of_constants_alone_is_left_out_where_the_row_gives_nothing() {
        let shape = Shape::of(["addresses.0.label", "addresses.0.country"].into_iter()).unwrap();
        let label = Cell::Constant(json!("headquarters"));
        assert_eq!(shape.build(&[label.clone(), Cell::Absent]), json!({}));
        assert_eq!(
            shape.build(&[label, Cell::Row(json!("KE"))]),
            json!({"addresses": [{"label": "headquarters", "country": "KE"}]})
        );
    }

    #[test]
    fn a_cleared_field_is_null() {
        let shape = Shape::of(["organisation.industry"].into_iter()).unwrap();
        assert_eq!(shape.build(&[Cell::Clear]), json!({"organisation": {"industry": null}}));
    }

    #[test]
    fn targets_that_contradict_each_other_are_named() {
        assert!(faults(&["a", "a.b"]).contains("`a.b`"));
        assert!(faults(&["a.b", "a"]).contains("`a`"));
        assert!(faults(&["a.0", "a.b"]).contains("position"));
        assert!(faults(&["a..b"]).contains("empty part"));
        assert!(faults(&["a.0.x", "a.2.x"]).contains("`a.1`"));
    }
}
