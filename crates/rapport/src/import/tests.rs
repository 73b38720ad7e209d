use std::fmt::Write as _;

use serde_json::json;

use super::*;
use crate::fake::Fake;

const MAPPING: &str = "
    resource = 'customers'
    [[pass]]
    upsert = { system = 'maven', external_id = '{account}' }
    [pass.fields]
    name = '{account}'
    employees = { column = 'employees', type = 'integer' }
    [[pass]]
    name = 'parents'
    resource = 'relationships'
    when = 'parent'
    upsert = { system = 'maven', external_id = '{account} parent' }
    [pass.fields]
    from_id = 'by/maven/{account}'
    to_id = 'by/maven/{parent}'
";

/// A folder with a CSV file and its mapping, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, csv: &str, mapping: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rapport-import-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("a.csv"), csv).unwrap();
        std::fs::write(path.join("a.toml"), mapping).unwrap();
        Self(path)
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }

    fn args(&self, fake: &Fake) -> ImportArgs {
        ImportArgs {
            file: self.0.join("a.csv"),
            mapping: self.0.join("a.toml"),
            dry_run: false,
            allow_duplicates: false,
            restart: false,
            server: ServerArgs { url: fake.url.clone() },
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn import(args: &ImportArgs) -> Result<(String, u64), Error> {
    let client = Client::with_token(&args.server, "t").unwrap();
    load(args, &client, &mut Meter::new()).await
}

fn many(rows: usize) -> String {
    let mut csv = "account,employees,parent\n".to_owned();
    for row in 0..rows {
        writeln!(csv, "a{row},{row},").unwrap();
    }
    csv
}

#[tokio::test]
async fn a_file_is_loaded_and_a_second_run_changes_nothing() {
    let fake = Fake::start();
    let folder = Folder::new("twice", "account,employees,parent\nAcme,5,Zeta\nZeta,7,\n", MAPPING);
    let (report, rejected) = import(&folder.args(&fake)).await.unwrap();
    assert_eq!(rejected, 0, "{report}");
    assert_eq!(
        fake.record("customers", "Acme"),
        Some(json!({"name": "Acme", "employees": 5}))
    );
    let parent = json!({"from_id": "by/maven/Acme", "to_id": "by/maven/Zeta"});
    assert_eq!(
        fake.record("relationships", "Acme parent"),
        Some(parent),
        "the parent stands later in the file"
    );
    let (report, _) = import(&folder.args(&fake)).await.unwrap();
    let line = report.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(line, ["customers", "0", "0", "2", "0", "0"], "{report}");
    assert!(folder.read("a.csv.progress").is_none() && folder.read("a.csv.rejects.csv").is_none());
}

#[tokio::test]
async fn rejects_have_their_line_columns_and_reason() {
    let fake = Fake::start();
    let csv = "account,employees,parent\nbad,5,\n=1+1,many,\n\"two\nlines\",1\nGood,1,\n";
    let folder = Folder::new("rejects", csv, MAPPING);
    let (report, rejected) = import(&folder.args(&fake)).await.unwrap();
    assert_eq!(rejected, 3, "{report}");
    let rejects = folder.read("a.csv.rejects.csv").unwrap();
    let expected = "line,pass,reason,account,employees,parent\n\
                    2,customers,/name: is bad,bad,5,\n\
                    3,customers,/employees: `many` is not a number,'=1+1,many,\n\
                    4,customers,\"the row has 2 cells, the header has 3\",\"two\nlines\",1,\n";
    assert_eq!(rejects, expected);
    assert!(fake.record("customers", "Good").is_some(), "good rows are kept");
}

#[tokio::test]
async fn an_interrupted_load_goes_on_where_it_stopped() {
    let fake = Fake::start();
    let folder = Folder::new("resume", &(many(1200) + "bad,1,\n"), MAPPING);
    fake.state().batches_left = Some(2);
    assert!(
        import(&folder.args(&fake))
            .await
            .unwrap_err()
            .to_string()
            .contains("enough")
    );
    assert!(folder.read("a.csv.progress").unwrap().contains("\"rows\":1000"));
    fake.state().batches_left = None;
    fake.state().batches.clear();
    let (report, rejected) = import(&folder.args(&fake)).await.unwrap();
    assert_eq!(fake.state().batches, [201], "only what was not acknowledged is sent");
    assert_eq!((fake.state().records.len(), rejected), (1200, 1));
    assert!(
        report.contains("1,200") && report.contains("201 rows in"),
        "all rows are in the report: {report}"
    );
    assert!(folder.read("a.csv.progress").is_none());
}

#[tokio::test]
async fn a_changed_file_or_restart_begins_again() {
    let fake = Fake::start();
    let folder = Folder::new("restart", &many(1200), MAPPING);
    let stop = |left| fake.state().batches_left = left;
    stop(Some(1));
    import(&folder.args(&fake)).await.unwrap_err();
    stop(None);
    fake.state().batches.clear();
    import(&ImportArgs {
        restart: true,
        ..folder.args(&fake)
    })
    .await
    .unwrap();
    assert_eq!(fake.state().batches, [500, 500, 200]);
    stop(Some(1));
    import(&folder.args(&fake)).await.unwrap_err();
    stop(None);
    std::fs::write(folder.0.join("a.csv"), many(600)).unwrap();
    fake.state().batches.clear();
    import(&folder.args(&fake)).await.unwrap();
    assert_eq!(fake.state().batches, [500, 100]);
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_and_trusts_its_own_rows() {
    let fake = Fake::start();
    let folder = Folder::new(
        "dry",
        "account,employees,parent\nAcme,5,Zeta\nZeta,7,\nLost,1,Nobody\n",
        MAPPING,
    );
    let (report, rejected) = import(&ImportArgs {
        dry_run: true,
        ..folder.args(&fake)
    })
    .await
    .unwrap();
    assert!(fake.state().records.is_empty());
    assert_eq!(rejected, 1, "only the parent that no row makes: {report}");
    let line = report.lines().nth(2).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(line, ["parents", "0", "0", "0", "1", "1", "1"], "{report}");
    let rejects = folder.read("a.csv.dry-run.rejects.csv").unwrap();
    assert!(
        rejects.contains("4,parents,/to_id: there is no such record,Lost"),
        "{rejects}"
    );
    assert!(folder.read("a.csv.progress").is_none());
}

#[tokio::test]
async fn distinct_takes_the_first_row_of_an_external_id_also_after_an_interruption() {
    let fake = Fake::start();
    let mapping = MAPPING.replacen(
        "resource = 'customers'\n    [[pass]]",
        "resource = 'customers'\n[[pass]]\ndistinct = true",
        1,
    );
    let mut csv = many(700);
    csv.push_str("a0,999,\na699,999,\n");
    let folder = Folder::new("distinct", &csv, &mapping);
    fake.state().batches_left = Some(1);
    import(&folder.args(&fake)).await.unwrap_err();
    fake.state().batches_left = None;
    let (report, _) = import(&folder.args(&fake)).await.unwrap();
    assert_eq!(fake.record("customers", "a0").unwrap()["employees"], 0);
    assert_eq!(fake.record("customers", "a699").unwrap()["employees"], 699);
    let line = report.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(line, ["customers", "700", "0", "0", "2", "0"], "{report}");
}

#[tokio::test]
async fn a_mapping_mistake_is_told_before_anything_is_sent() {
    let fake = Fake::start();
    let folder = Folder::new("mistake", &many(3), &MAPPING.replace("'employees'", "'staff'"));
    let message = import(&folder.args(&fake)).await.unwrap_err().to_string();
    assert!(
        message.contains("no column `staff`; it has account, employees, parent"),
        "{message}"
    );
    assert!(fake.state().batches.is_empty());
}

/// The example that everybody starts with, against a server that only knows which records there are.
#[tokio::test]
async fn the_maven_files_load_without_a_reject() {
    let fake = Fake::start();
    let maven = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/maven");
    let read = |name: String| std::fs::read_to_string(maven.join(name)).unwrap();
    for (run, outcome) in [(1, "created"), (2, "unchanged")] {
        for name in ["stages", "products", "sales_teams", "accounts", "sales_pipeline"] {
            let folder = Folder::new(name, &read(format!("data/{name}.csv")), &read(format!("{name}.toml")));
            let (report, rejected) = import(&folder.args(&fake)).await.unwrap();
            assert_eq!(rejected, 0, "{name}, run {run}, {outcome}: {report}");
        }
        let count = |resource: &str| {
            fake.state()
                .records
                .keys()
                .filter(|(name, _, _)| name == resource)
                .count()
        };
        let counts = [
            "teams",
            "users",
            "customers",
            "relationships",
            "products",
            "stages",
            "opportunities",
        ]
        .map(count);
        assert_eq!(counts, [3, 41, 85, 15, 7, 4, 8_800]);
    }
    let account = fake.record("customers", "Bioholding").unwrap();
    assert_eq!(account["addresses"][0]["country"], "PH");
    assert_eq!(
        account["organisation"]["annual_revenue"],
        json!({"amount": "587340000", "currency": "USD"})
    );
    let open = fake.record("opportunities", "HAXMC4IX").unwrap();
    assert_eq!(open["opened_on"], "2016-11-03");
    assert!(open.get("customer_id").is_none() && open.get("amount").is_none() && open.get("closed_on").is_none());
    let line = &fake.record("opportunities", "Z063OYW0").unwrap()["lines"][0];
    assert_eq!(line["product_id"], "by/maven/GTX Pro");
    assert_eq!(line["unit_price"]["amount"], "4821");
}
