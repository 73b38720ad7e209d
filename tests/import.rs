//! `rapport import` and `rapport generate` against a running server: real files, dirt, interruptions.

use crate::harness::{Server, Settings, Tenant};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

/// The program as a loader for a tenant, with a folder for its files.
struct Loader {
    settings: Settings,
    folder: PathBuf,
}

impl Loader {
    fn new(tenant: &Tenant) -> Self {
        let server = Server::shared();
        let folder = server.settings.folder.join(format!("files of {}", tenant.name));
        std::fs::create_dir_all(&folder).unwrap();
        let settings = server.settings.clone();
        let settings = settings
            .with("RAPPORT_URL", &server.url)
            .with("RAPPORT_TOKEN", &tenant.token);
        Self { settings, folder }
    }

    /// Writes a CSV file and the mapping for it.
    fn write(&self, csv: &str, mapping: &str) {
        std::fs::write(self.path("rows.csv"), csv).unwrap();
        std::fs::write(self.path("rows.toml"), mapping).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Imports what was written last.
    fn import(&self, options: &[&str]) -> Output {
        let (file, mapping) = (self.path("rows.csv"), self.path("rows.toml"));
        let mut command = self.settings.command();
        command
            .arg("import")
            .arg(file)
            .arg("--mapping")
            .arg(mapping)
            .args(options);
        command.output().unwrap()
    }
}

/// The counts of a pass in a report: created, updated, unchanged, skipped, rejected, and in a dry run unresolved.
#[track_caller]
fn counts(output: &Output, pass: &str) -> Vec<u64> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(pass));
    let line = line.unwrap_or_else(|| panic!("no {pass} in {text}{}", String::from_utf8_lossy(&output.stderr)));
    line.split_whitespace()
        .skip(1)
        .map(|count| count.replace(',', "").parse().unwrap())
        .collect()
}

/// Fails when a record of a resource was ever changed.
async fn expect_first_versions(tenant: &Tenant, resource: &str) {
    let changed = total(tenant, &format!("/v1/{resource}?filter[version][gt]=1")).await;
    assert_eq!(changed, 0, "{resource} were changed");
}

async fn total(tenant: &Tenant, path: &str) -> u64 {
    let mark = if path.contains('?') { '&' } else { '?' };
    let answer = tenant
        .get(&format!("{path}{mark}limit=1&total=exact"))
        .await
        .expect(200);
    answer.body["page"]["total"].as_u64().unwrap()
}

const MAPPING: &str = "
    resource = 'customers'
    [[pass]]
    upsert = { system = 'erp', external_id = '{account}' }
    [pass.fields]
    kind = { constant = 'organisation' }
    name = '{name}'
    'organisation.employees' = { column = 'staff', type = 'integer' }
    [[pass]]
    resource = 'relationships'
    when = 'parent'
    upsert = { system = 'erp', external_id = 'parent of {account}' }
    [pass.fields]
    from_id = 'by/erp/{account}'
    to_id = 'by/erp/{parent}'
    role = { constant = 'parent_company' }
";

#[tokio::test]
async fn the_maven_files_load_and_a_second_load_changes_nothing() {
    let tenant = Tenant::new();
    let loader = Loader::new(&tenant);
    let maven = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/maven");
    for run in 1..=2 {
        for name in ["stages", "products", "sales_teams", "accounts", "sales_pipeline"] {
            let csv = std::fs::read_to_string(maven.join(format!("data/{name}.csv"))).unwrap();
            // All of the small files, and as many opportunities as show every kind of dirt in little time.
            let csv: String = csv.lines().take(601).flat_map(|line| [line, "\n"]).collect();
            loader.write(
                &csv,
                &std::fs::read_to_string(maven.join(format!("{name}.toml"))).unwrap(),
            );
            let output = loader.import(&[]);
            assert!(output.status.success(), "{name}, run {run}: {output:?}");
        }
    }
    // The administrator of the tenant is a user too.
    for (resource, count) in [
        ("users", 41 + 1),
        ("customers", 85),
        ("relationships", 15),
        ("opportunities", 600),
    ] {
        assert_eq!(total(&tenant, &format!("/v1/{resource}")).await, count, "{resource}");
        expect_first_versions(&tenant, resource).await;
    }
    let children = total(&tenant, "/v1/relationships?filter[to.name]=Acme%20Corporation").await;
    assert_eq!(children, 4, "parents that stand later in the file are found");
    let account = tenant.get("/v1/customers/by/maven/Bioholding").await.expect(200).body;
    assert_eq!(account["addresses"][0]["country"], "PH");
    assert_eq!(account["organisation"]["annual_revenue"]["amount"], "587340000.00");
    let open = tenant.get("/v1/opportunities/by/maven/HAXMC4IX").await.expect(200).body;
    assert_eq!((&open["status"], open["customer_id"].is_null()), (&"open".into(), true));
}

#[tokio::test]
async fn rows_that_are_refused_stand_in_a_file_and_the_others_are_kept() {
    let tenant = Tenant::new();
    let loader = Loader::new(&tenant);
    let csv = "account,name,staff,parent\na,Acme,5,\n=b,Beta,many,\nc,,7,\nd,Delta,1,nobody\n";
    loader.write(csv, MAPPING);
    let output = loader.import(&[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(counts(&output, "customers"), [2, 0, 0, 0, 2]);
    assert_eq!(counts(&output, "relationships"), [0, 0, 0, 3, 1]);
    let rejects = loader.read("rows.csv.rejects.csv");
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!(lines[0], "line,pass,reason,account,name,staff,parent");
    assert_eq!(
        lines[1],
        "3,customers,/organisation/employees: `many` is not a number,'=b,Beta,many,"
    );
    assert!(
        lines[2].starts_with("4,customers,/name: ") && lines[2].ends_with(",c,,7,"),
        "{rejects}"
    );
    assert!(lines[3].starts_with("5,relationships,/to_id: "), "{rejects}");
    assert_eq!(total(&tenant, "/v1/customers").await, 2);
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_and_counts_what_its_own_rows_would_have_made() {
    let tenant = Tenant::new();
    let loader = Loader::new(&tenant);
    loader.write(
        "account,name,staff,parent\na,Acme,5,b\nb,Beta,7,\nc,Gamma,1,nobody\n",
        MAPPING,
    );
    let output = loader.import(&["--dry-run"]);
    assert_eq!(counts(&output, "customers"), [3, 0, 0, 0, 0, 0]);
    assert_eq!(counts(&output, "relationships"), [0, 0, 0, 1, 1, 1]);
    assert!(
        loader
            .read("rows.csv.dry-run.rejects.csv")
            .contains("4,relationships,/to_id: ")
    );
    assert_eq!(total(&tenant, "/v1/customers").await, 0);
    assert_eq!(total(&tenant, "/v1/relationships").await, 0);
}

#[tokio::test]
async fn a_load_that_was_killed_goes_on_and_takes_each_row_once() {
    const ROWS: u64 = 1_700;
    let tenant = Tenant::new();
    let loader = Loader::new(&tenant);
    let mut csv = "account,name,staff,parent\n".to_owned();
    for row in 0..ROWS {
        writeln!(csv, "k{row},Customer {row},{row},").unwrap();
    }
    loader.write(&csv, MAPPING);
    let mut child = loader.settings.command();
    child
        .arg("import")
        .arg(loader.path("rows.csv"))
        .arg("--mapping")
        .arg(loader.path("rows.toml"));
    let mut child = child.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !loader.path("rows.csv.progress").exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(loader.path("rows.csv.progress").exists(), "it was killed on its way");

    let output = loader.import(&[]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("going on with pass customers after row"));
    // A batch whose answer was cut off is sent again and finds its rows there.
    let [created, updated, unchanged, ..] = counts(&output, "customers")[..] else {
        panic!("{output:?}")
    };
    assert_eq!((created + unchanged, updated), (ROWS, 0));
    assert_eq!(total(&tenant, "/v1/customers").await, ROWS);
    expect_first_versions(&tenant, "customers").await;
    assert!(!loader.path("rows.csv.progress").exists());
}

#[tokio::test]
async fn generated_data_is_valid_and_the_same_again() {
    let tenant = Tenant::new();
    let loader = Loader::new(&tenant);
    let sizes = ["--customers", "300", "--products", "10", "--interactions", "400"];
    let generate = [&["generate", "--seed", "5"], &sizes[..]].concat();
    let report = loader.settings.run(&generate);
    assert!(
        report.contains("created 1,017, updated 0, unchanged 0, refused 0"),
        "{report}"
    );
    assert_eq!(total(&tenant, "/v1/customers").await, 300);
    assert_eq!(total(&tenant, "/v1/opportunities").await, 150);
    assert_eq!(total(&tenant, "/v1/tickets").await, 150);
    assert_eq!(total(&tenant, "/v1/interactions").await, 400);
    let report = loader.settings.run(&generate);
    assert!(
        report.contains("created 0, updated 0, unchanged 1,017, refused 0"),
        "{report}"
    );
    expect_first_versions(&tenant, "opportunities").await;
    expect_first_versions(&tenant, "interactions").await;
}
