//! A mapping fitted to the header of one file: every mistake in it is found here, before a row is sent.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;

use super::convert::Convert;
use super::mapping::{Empty, Field, Mapping, Mode, Pass};
use super::shape::{Cell, Shape};
use super::template::Template;

/// What to do with each row of a file.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) delimiter: u8,
    pub(super) passes: Vec<PassPlan>,
    width: usize,
    aliases: HashMap<usize, BTreeMap<String, String>>,
}

/// What one pass makes of a row.
#[derive(Debug)]
pub(super) struct PassPlan {
    pub(super) name: String,
    pub(super) resource: String,
    pub(super) distinct: bool,
    pub(super) system: String,
    mode: Option<&'static str>,
    external_id: Template,
    external_id_text: String,
    when: Vec<usize>,
    fields: Vec<FieldPlan>,
    shape: Shape,
}

#[derive(Debug)]
struct FieldPlan {
    target: String,
    from: From,
    convert: Convert,
    aliases: BTreeMap<String, String>,
    default: Option<String>,
    empty: Empty,
}

#[derive(Debug)]
enum From {
    Column(usize),
    Template(Template),
    Constant(Value),
}

/// A row that a pass turned into a record.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) external_id: String,
    pub(super) data: Value,
}

impl Plan {
    /// Fits a mapping to a header, or lists all that does not fit.
    pub(super) fn compile(mapping: &Mapping, header: &[String]) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let find = |name: &str| column(header, name);
        let delimiter = u8::try_from(mapping.delimiter).unwrap_or_else(|_| {
            faults.push(format!(
                "`delimiter` is one ASCII character, not `{}`",
                mapping.delimiter
            ));
            b','
        });
        let mut aliases = HashMap::new();
        for (name, values) in &mapping.aliases {
            match find(name) {
                Ok(index) => drop(aliases.insert(index, values.clone())),
                Err(fault) => faults.push(format!("aliases: {fault}")),
            }
        }
        if mapping.passes.is_empty() {
            faults.push("the mapping has no [[pass]]".to_owned());
        }
        let mut passes = Vec::new();
        for (index, pass) in mapping.passes.iter().enumerate() {
            let name = pass
                .name
                .clone()
                .or_else(|| pass.resource.clone())
                .or_else(|| mapping.resource.clone());
            let name = name.unwrap_or_else(|| format!("pass {}", index + 1));
            let mut pass_faults = Vec::new();
            passes.extend(PassPlan::compile(
                name.clone(),
                pass,
                mapping.resource.as_deref(),
                &find,
                &mut pass_faults,
            ));
            faults.extend(pass_faults.into_iter().map(|fault| format!("{name}: {fault}")));
        }
        if faults.is_empty() {
            Ok(Self {
                delimiter,
                passes,
                width: header.len(),
                aliases,
            })
        } else {
            Err(faults)
        }
    }

    /// The cells of a row, trimmed and with their columns' aliases put right.
    pub(super) fn cells(&self, record: &csv::ByteRecord) -> Result<Vec<String>, String> {
        if record.len() != self.width {
            return Err(format!(
                "the row has {} cells, the header has {}",
                record.len(),
                self.width
            ));
        }
        let mut cells = Vec::with_capacity(self.width);
        for (index, cell) in record.iter().enumerate() {
            let text = std::str::from_utf8(cell)
                .map_err(|_| format!("cell {} is not UTF-8", index + 1))?
                .trim();
            let alias = self.aliases.get(&index).and_then(|aliases| aliases.get(text));
            cells.push(alias.map_or(text, String::as_str).to_owned());
        }
        Ok(cells)
    }
}

impl PassPlan {
    fn compile(
        name: String,
        pass: &Pass,
        resource: Option<&str>,
        find: &impl Fn(&str) -> Result<usize, String>,
        faults: &mut Vec<String>,
    ) -> Option<Self> {
        let resource = pass.resource.as_deref().or(resource).unwrap_or_default();
        if resource.is_empty() || !resource.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            faults.push("`resource` should name a resource, such as \"customers\"".to_owned());
        }
        if pass.upsert.system.is_empty() || pass.upsert.system.contains('/') {
            faults.push("`upsert.system` should be a name without a slash, such as \"maven\"".to_owned());
        }
        let mut note = |result: Result<usize, String>| result.map_err(|fault| faults.push(fault)).ok();
        let when = pass
            .when
            .as_slice()
            .iter()
            .filter_map(|name| note(find(name)))
            .collect();
        let external_id = Template::parse(&pass.upsert.external_id, find);
        let external_id = external_id
            .map_err(|fault| faults.push(format!("upsert.external_id: {fault}")))
            .ok();
        let mut fields = Vec::new();
        for (target, field) in &pass.fields {
            let mut field_faults = Vec::new();
            fields.extend(FieldPlan::compile(target, field, find, &mut field_faults));
            faults.extend(
                field_faults
                    .into_iter()
                    .map(|fault| format!("field `{target}`: {fault}")),
            );
        }
        if pass.fields.is_empty() {
            faults.push("it has no [pass.fields]".to_owned());
        }
        let shape = Shape::of(pass.fields.keys().map(String::as_str))
            .map_err(|mut list| faults.append(&mut list))
            .ok()?;
        Some(Self {
            name,
            resource: resource.to_owned(),
            distinct: pass.distinct,
            system: pass.upsert.system.clone(),
            mode: pass.upsert.mode.map(Mode::name),
            external_id: external_id?,
            external_id_text: pass.upsert.external_id.clone(),
            when,
            fields,
            shape,
        })
    }

    /// How the server is told what an upsert may do, where the mapping says so.
    pub(super) fn mode(&self) -> Option<&'static str> {
        self.mode
    }

    /// The record a row stands for; nothing when `when` leaves the row out; otherwise everything wrong with it.
    pub(super) fn make(&self, cells: &[String]) -> Result<Option<Made>, String> {
        if self.when.iter().any(|index| cells[*index].is_empty()) {
            return Ok(None);
        }
        let mut faults = Vec::new();
        let external_id = self.external_id.render(cells);
        if external_id.is_none() {
            faults.push(format!(
                "the external id `{}` names an empty cell",
                self.external_id_text
            ));
        }
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            match field.read(cells) {
                Ok(value) => values.push(value),
                Err(fault) => faults.push(format!("{}: {fault}", field.pointer())),
            }
        }
        match external_id {
            Some(external_id) if faults.is_empty() => Ok(Some(Made {
                external_id,
                data: self.shape.build(&values),
            })),
            _ => Err(faults.join("; ")),
        }
    }
}

impl FieldPlan {
    fn compile(
        target: &str,
        field: &Field,
        find: &impl Fn(&str) -> Result<usize, String>,
        faults: &mut Vec<String>,
    ) -> Option<Self> {
        let options = &field.options;
        let source = &field.source;
        let from = match (&source.column, &source.template, &source.constant) {
            (Some(name), None, None) => find(name).map(From::Column).map_err(|fault| faults.push(fault)).ok(),
            (None, Some(text), None) => Template::parse(text, find)
                .map(From::Template)
                .map_err(|fault| faults.push(fault))
                .ok(),
            (None, None, Some(value)) => constant(value, field, faults).map(From::Constant),
            _ => {
                faults.push("it needs exactly one of `column`, `template` and `constant`".to_owned());
                None
            }
        };
        if options.default.is_some() && options.empty == Empty::Clear {
            faults.push("`default` and `empty = \"clear\"` exclude each other".to_owned());
        }
        let convert = Convert::compile(options, find, faults)?;
        Some(Self {
            target: target.to_owned(),
            from: from?,
            convert,
            aliases: options.aliases.clone(),
            default: options.default.clone(),
            empty: options.empty,
        })
    }

    fn read(&self, cells: &[String]) -> Result<Cell, String> {
        let text = match &self.from {
            From::Constant(value) => return Ok(Cell::Constant(value.clone())),
            From::Column(index) => Some(cells[*index].clone()).filter(|text| !text.is_empty()),
            From::Template(template) => template.render(cells),
        };
        let Some(text) = text.or_else(|| self.default.clone()) else {
            return Ok(if self.empty == Empty::Clear {
                Cell::Clear
            } else {
                Cell::Absent
            });
        };
        let alias = |text: &str| self.aliases.get(text).map_or(text, String::as_str).to_owned();
        let value = self.convert.read(&text, alias, cells)?;
        let constant = matches!(&self.from, From::Template(template) if template.is_constant());
        Ok(if constant {
            Cell::Constant(value)
        } else {
            Cell::Row(value)
        })
    }

    /// The target as the server's own messages would point to it.
    fn pointer(&self) -> String {
        format!("/{}", self.target.replace('.', "/"))
    }
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::CreateOnly => "create_only",
            Self::UpdateOnly => "update_only",
        }
    }
}

/// A constant is taken as TOML gives it; options that read text say nothing about it.
fn constant(value: &toml::Value, field: &Field, faults: &mut Vec<String>) -> Option<Value> {
    let options = &field.options;
    if options.kind.is_some() || !options.aliases.is_empty() || options.default.is_some() {
        faults.push("a `constant` is taken as it is: no `type`, `aliases` or `default`".to_owned());
    }
    let json = value.serialize(serde_json::value::Serializer);
    json.map_err(|error| faults.push(format!("`constant`: {error}"))).ok()
}

fn column(header: &[String], name: &str) -> Result<usize, String> {
    let mut found = header.iter().enumerate().filter(|(_, column)| *column == name);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => Err(format!("the file has more than one column `{name}`")),
        (None, _) => Err(format!("the file has no column `{name}`; it has {}", header.join(", "))),
    }
}

#[cfg(test)]
mod tests;
