use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::*;
use crate::fake::Fake;

pub(super) const SIZE: Size = Size {
    seed: 42,
    customers: 2_500,
    products: 50,
    opportunities: 1_250,
    tickets: 1_250,
    interactions: 12_500,
    until: NaiveDate::from_ymd_opt(2026, 6, 30).unwrap(),
};

fn digest(size: &Size) -> String {
    let mut hash = Sha256::new();
    for phase in phases(size) {
        for item in items(size, &phase, 0..phase.count.min(200)).unwrap() {
            hash.update(item.get());
        }
    }
    base64::engine::general_purpose::STANDARD.encode(&hash.finalize()[..12])
}

/// Whoever changes the data on purpose changes this line too, and the numbers of old benches no longer compare.
#[test]
fn the_same_seed_gives_the_same_data_everywhere() {
    assert_eq!(digest(&SIZE), "SRq/jlOriRc0OPMa");
    assert_ne!(digest(&SIZE), digest(&Size { seed: 43, ..SIZE }));
}

#[test]
fn a_larger_number_only_adds_customers() {
    for index in [0, 7, 99] {
        let small = phases(&Size { customers: 100, ..SIZE })[3].make;
        assert_eq!(small(&SIZE, index), customers::customer(42, index));
    }
}

#[tokio::test]
async fn all_records_reach_the_server_in_batches() {
    let fake = Fake::start();
    let client = Arc::new(Client::with_token(&ServerArgs { url: fake.url.clone() }, "t").unwrap());
    let mut counts = Counts::default();
    for phase in phases(&SIZE) {
        send(&client, &SIZE, &phase, 4, &mut Meter::new(), &mut counts)
            .await
            .unwrap();
    }
    assert_eq!(
        (counts.created, counts.failed),
        (1 + 6 + 50 + 2_500 + 1_250 + 1_250 + 12_500, 0),
        "{counts}"
    );
    assert!(fake.state().batches.iter().all(|size| *size <= 1_000));
}
