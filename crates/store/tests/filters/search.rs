use crate::database::*;
use domain::Kind;
use domain::search::Search;
use sql::ids::RecordId;

fn search(database: &mut Database, tenant: Tenant, text: &str) -> Vec<RecordId> {
    let search = Search::parse(text, "?q").unwrap();
    select(
        database,
        Kind::Product,
        tenant.condition(Kind::Product).with_search(Some(&search)),
    )
}

#[test]
fn words_and_fragments_are_found() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let products = [
        "Café Crème",
        "Acme \"Gold\" 100%",
        "acme_silver",
        "GTX Pro 4000",
        "C++ & C#",
    ];
    let ids = products.map(|name| {
        let product = Product {
            name: name.to_owned(),
            ..Product::default()
        };
        tenant.product(&mut database, &product)
    });
    let cases: &[(&str, &[usize])] = &[
        ("cafe", &[0]),
        ("CRÈ", &[0]),
        ("acm", &[1, 2]),
        ("acme gold", &[1]),
        ("gold acme", &[1]),
        ("acme go", &[1]),
        ("\"gold\"", &[1]),
        ("100%", &[1]),
        ("acme_", &[2]),
        ("acme _", &[2]),
        ("tx pro 4000", &[3]),
        ("gold OR silver", &[]),
        ("acme*", &[]),
        ("NOT acme", &[]),
        ("text:acme", &[]),
        ("C++", &[4]),
        ("') OR 1=1 --", &[]),
        ("bronze", &[]),
    ];
    for (text, expected) in cases {
        let found = search(&mut database, tenant, text);
        let places: Vec<_> = ids
            .iter()
            .enumerate()
            .filter(|(_, id)| found.contains(id))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(places, *expected, "{text}");
    }
}
