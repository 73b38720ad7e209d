use super::*;
use serde_json::json;

fn header(names: &str) -> Vec<String> {
    names.split(',').map(str::to_owned).collect()
}

fn compile(text: &str, names: &str) -> Result<Plan, Vec<String>> {
    Plan::compile(&Mapping::parse(text).unwrap(), &header(names))
}

fn faults(text: &str) -> String {
    compile(text, "account,sector").unwrap_err().join("\n")
}

fn pass(rest: &str) -> String {
    format!("[[pass]]\nresource = 'customers'\nupsert = {{ system = 'maven', external_id = '{{account}}' }}\n{rest}")
}

fn record(cells: &[&str]) -> csv::ByteRecord {
    cells.iter().copied().collect()
}

#[test]
fn a_row_becomes_a_record() {
    let text = "[aliases.sector]\ntechnolgy = 'technology'\n".to_owned()
        + &pass(
            "[pass.fields]\nname = '{account}'\nkind = { constant = 'organisation' }\n\
             \"organisation.industry\" = { column = 'sector' }\n\
             parent_id = 'by/maven/{parent}'\n\
             \"addresses.0.country\" = { column = 'country', aliases = { Kenya = 'KE' } }",
        );
    let plan = compile(&text, "account,sector,parent,country").unwrap();
    let cells = plan.cells(&record(&[" Acme ", "technolgy", "", "Kenya"])).unwrap();
    let made = plan.passes[0].make(&cells).unwrap().unwrap();
    assert_eq!(made.external_id, "Acme");
    assert_eq!(
        made.data,
        json!({
            "addresses": [{"country": "KE"}], "kind": "organisation", "name": "Acme",
            "organisation": {"industry": "technology"}
        })
    );
}

#[test]
fn rows_without_the_columns_of_when_are_skipped() {
    let plan = compile(
        &pass("when = 'sector'\n[pass.fields]\nname = '{account}'"),
        "account,sector",
    )
    .unwrap();
    assert!(plan.passes[0].make(&["Acme".into(), String::new()]).unwrap().is_none());
    assert!(
        plan.passes[0]
            .make(&["Acme".into(), "retail".into()])
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_row_reports_all_its_faults_at_once() {
    let plan = compile(
        &pass(
            "[pass.fields]\nage = { column = 'sector', type = 'integer' }\nborn = { column = 'sector', type = 'date' }",
        ),
        "account,sector",
    )
    .unwrap();
    let fault = plan.passes[0].make(&[String::new(), "x".into()]).unwrap_err();
    assert!(
        fault.contains("external id") && fault.contains("/age: `x`") && fault.contains("/born: `x`"),
        "{fault}"
    );
}

#[test]
fn rows_that_are_not_rows_of_this_file_are_refused() {
    let plan = compile(&pass("[pass.fields]\nname = '{account}'"), "account,sector").unwrap();
    assert!(
        plan.cells(&record(&["a"]))
            .unwrap_err()
            .contains("1 cells, the header has 2")
    );
    let mut broken = csv::ByteRecord::new();
    broken.push_field(b"\xff");
    broken.push_field(b"x");
    assert!(plan.cells(&broken).unwrap_err().contains("UTF-8"));
}

#[test]
fn an_empty_cell_keeps_clears_or_takes_the_default() {
    let plan = compile(
        &pass(
            "[pass.fields]\na = { column = 'sector' }\nb = { column = 'sector', empty = 'clear' }\n\
             c = { column = 'sector', default = 'none' }",
        ),
        "account,sector",
    )
    .unwrap();
    let made = plan.passes[0].make(&["Acme".into(), String::new()]).unwrap().unwrap();
    assert_eq!(made.data, json!({"b": null, "c": "none"}));
}

#[test]
fn all_mistakes_are_listed_with_their_place() {
    let text = "[aliases.nowhere]\na = 'b'\n".to_owned()
        + &pass(
            "when = 'missing'\n[pass.fields]\nname = '{acount}'\nx = { column = 'sector', template = 'y' }\n\"a\" = '1'\n\"a.b\" = '2'",
        );
    let message = faults(&text);
    for expected in [
        "aliases: the file has no column `nowhere`",
        "no column `missing`; it has account, sector",
    ] {
        assert!(message.contains(expected), "{message}");
    }
    assert!(
        message.contains("field `name`: the file has no column `acount`"),
        "{message}"
    );
    assert!(message.contains("field `x`: it needs exactly one of"), "{message}");
    assert!(message.contains("target `a.b`"), "{message}");
}

#[test]
fn a_mapping_needs_passes_resources_and_fields() {
    assert!(faults("").contains("no [[pass]]"));
    assert!(faults("[[pass]]\nupsert = { system = 's', external_id = '{account}' }").contains("`resource`"));
    assert!(faults(&pass("")).contains("no [pass.fields]"));
    assert!(faults(&pass("[pass.fields]\nx = { constant = 1, type = 'integer' }")).contains("taken as it is"));
}

#[test]
fn a_column_that_stands_twice_cannot_be_meant() {
    let message = compile(&pass("[pass.fields]\nname = '{account}'"), "account,account")
        .unwrap_err()
        .join("\n");
    assert!(message.contains("more than one column `account`"), "{message}");
}
