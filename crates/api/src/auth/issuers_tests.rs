//! Tokens of a foreign issuer: a key set in a file, and one behind a URL that fails, changes and is flooded.

use super::*;
use crate::auth::keys::KeyRing;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

const ISSUER: &str = "https://id.example.com/realms/acme";
const AUDIENCE: &str = "https://crm.example.com";

/// The foreign issuer: its keys, made like ours.
struct Foreign {
    ring: KeyRing,
    folder: PathBuf,
    now: Timestamp,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Foreign {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("rapport-issuers-{}", uuid::Uuid::now_v7()));
        Self {
            ring: KeyRing::open(&folder).unwrap(),
            folder,
            now: Timestamp::now(),
        }
    }

    fn set(&self) -> Value {
        serde_json::to_value(self.ring.published(self.now)).unwrap()
    }

    fn set_in_a_file(&self) -> String {
        let path = self.folder.join("jwks.json");
        std::fs::write(&path, self.set().to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn claims(&self) -> Value {
        let now = self.now.utc().timestamp();
        json!({"iss": ISSUER, "aud": ["account", AUDIENCE], "sub": "f:1:ann", "iat": now, "exp": now + 300,
               "scope": "customers:read openid", "azp": "web"})
    }

    fn token(&self, claims: &Value) -> String {
        self.token_of_type(claims, Some("at+jwt"))
    }

    fn token_of_type(&self, claims: &Value, typ: Option<&str>) -> String {
        let key = self.ring.signing(self.now).unwrap();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id.clone());
        header.typ = typ.map(str::to_owned);
        jsonwebtoken::encode(&header, claims, key.signer()).unwrap()
    }
}

fn config(jwks: impl Into<String>) -> IssuerConfig {
    IssuerConfig {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        jwks: jwks.into(),
        tenant: "acme".into(),
        types: access_token_only(),
    }
}

fn issuers(config: IssuerConfig) -> Issuers {
    Issuers::new(vec![config], "https://crm.example.com").unwrap()
}

/// A key server that answers what `answer` says and counts how often it is asked.
fn serve(answer: impl Fn(usize) -> (u16, String) + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            let (status, body) = answer(counter.fetch_add(1, Ordering::SeqCst));
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    (url, asked)
}

#[tokio::test]
async fn a_token_is_taken_by_the_keys_in_a_file() {
    let foreign = Foreign::new();
    let issuers = issuers(config(foreign.set_in_a_file()));
    let token = foreign.token(&foreign.claims());
    assert!(issuers.claims_one(&token));
    let subject = issuers.verify(&token, foreign.now).await.unwrap();
    assert_eq!((subject.issuer.as_str(), subject.subject.as_str()), (ISSUER, "f:1:ann"));
    assert_eq!(subject.tenant, "acme");
    assert_eq!(subject.scope.as_deref(), Some("customers:read openid"));
}

#[tokio::test]
async fn forgeries_are_refused() {
    let foreign = Foreign::new();
    let issuers = issuers(config(foreign.set_in_a_file()));
    let claims = foreign.claims();
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        foreign.token(&claims)
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().shift_remove(name);
        foreign.token(&claims)
    };
    let now = foreign.now.utc().timestamp();
    let stranger = Foreign::new();
    let public = foreign.ring.published(foreign.now).keys[0].clone();
    let mut confused = Header::new(Algorithm::HS256);
    confused.kid = Some(public.kid);
    confused.typ = Some("at+jwt".into());
    let confused = jsonwebtoken::encode(&confused, &claims, &EncodingKey::from_secret(public.x.as_bytes())).unwrap();
    let table = [
        ("another issuer", with("iss", "https://evil.example".into())),
        ("no issuer", without("iss")),
        ("another audience", with("aud", json!(["account"]))),
        ("no audience", without("aud")),
        ("no subject", without("sub")),
        ("subject as a number", with("sub", 7.into())),
        ("no end", without("exp")),
        ("expired", with("exp", (now - 31).into())),
        ("too early", with("nbf", (now + 60).into())),
        ("from the future", with("iat", (now + 60).into())),
        ("an id token", foreign.token_of_type(&claims, Some("JWT"))),
        ("no type", foreign.token_of_type(&claims, None)),
        ("a stranger's key", stranger.token(&claims)),
        ("HS256 with the public key", confused),
        ("nonsense", "a.b.c".into()),
    ];
    for (name, token) in table {
        assert!(issuers.verify(&token, foreign.now).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn an_issuer_that_writes_jwt_is_taken_where_the_configuration_says_so() {
    let foreign = Foreign::new();
    let issuers = issuers(IssuerConfig {
        types: vec!["JWT".into()],
        ..config(foreign.set_in_a_file())
    });
    let token = foreign.token_of_type(&foreign.claims(), Some("JWT"));
    assert!(issuers.verify(&token, foreign.now).await.is_ok());
}

#[tokio::test]
async fn a_key_set_is_fetched_once_however_many_unknown_keys_come() {
    let foreign = Foreign::new();
    let set = foreign.set().to_string();
    let (url, asked) = serve(move |_| (200, set.clone()));
    let issuers = issuers(config(url));
    let token = foreign.token(&foreign.claims());
    for _ in 0..10 {
        issuers.verify(&token, foreign.now).await.unwrap();
    }
    let stranger = Foreign::new();
    let forged = stranger.token(&foreign.claims());
    for _ in 0..10 {
        assert_eq!(issuers.verify(&forged, foreign.now).await, Err(InvalidToken::Signature));
    }
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "an unknown key asks again after a pause only"
    );
}

#[tokio::test]
async fn an_issuer_that_is_down_is_not_asked_again_at_once_and_then_recovers() {
    let foreign = Foreign::new();
    let set = foreign.set().to_string();
    let (url, asked) = serve(move |n| {
        if n == 0 {
            (503, String::new())
        } else {
            (200, set.clone())
        }
    });
    let issuers = issuers(config(url));
    let token = foreign.token(&foreign.claims());
    for _ in 0..5 {
        assert_eq!(
            issuers.verify(&token, foreign.now).await,
            Err(InvalidToken::KeysUnavailable)
        );
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    tokio::time::sleep(FIRST_PAUSE).await;
    assert!(issuers.verify(&token, foreign.now).await.is_ok());
}

#[test]
fn fetches_are_bounded() {
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let keys = |failures| Keys {
        known: Arc::default(),
        read_at: (failures == 0).then_some(start),
        tried_at: Some(start),
        failures,
    };
    for (failures, missing, seconds, expected) in [
        (0, false, 599, false),
        (0, false, 600, true),
        (0, true, 29, false),
        (0, true, 30, true),
        (1, true, 1, true),
        (3, true, 3, false),
        (3, true, 4, true),
        (u32::MAX, true, 299, false),
        (u32::MAX, true, 300, true),
    ] {
        assert_eq!(
            keys(failures).may_fetch(missing, at(seconds)),
            expected,
            "{failures} {missing} {seconds}"
        );
    }
}

#[test]
fn keys_have_their_algorithm_and_weak_or_secret_ones_none() {
    let algorithms = |jwk: Value| {
        let jwk: Option<Jwk> = serde_json::from_value(jwk).ok();
        jwk.and_then(usable).map(|key| key.algorithms.to_vec())
    };
    let n = "u".repeat(341) + "A";
    let point = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (jwk, expected) in [
        (json!({"kty": "RSA", "n": n, "e": "AQAB"}), Some(vec![Algorithm::RS256])),
        (
            json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "PS256"}),
            Some(vec![Algorithm::PS256]),
        ),
        (json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RSA-OAEP"}), None),
        (json!({"kty": "RSA", "n": n, "e": "AQAB", "use": "enc"}), None),
        (json!({"kty": "RSA", "n": "u".repeat(171), "e": "AQAB"}), None),
        (
            json!({"kty": "EC", "crv": "P-256", "x": point, "y": point}),
            Some(vec![Algorithm::ES256]),
        ),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), None),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": point}),
            Some(vec![Algorithm::EdDSA]),
        ),
        (json!({"kty": "weird"}), None),
    ] {
        assert_eq!(algorithms(jwk.clone()), expected, "{jwk}");
    }
}

#[test]
fn the_configuration_is_checked() {
    let refused = |configs: Vec<IssuerConfig>| Issuers::new(configs, "https://crm.example.com").is_err();
    assert!(refused(vec![config("http://id.example.com/jwks.json")]));
    assert!(refused(vec![config("ftp://id.example.com/jwks.json")]));
    assert!(refused(vec![config("keys.json"), config("keys.json")]));
    assert!(refused(vec![IssuerConfig {
        issuer: "https://crm.example.com".into(),
        ..config("keys.json")
    }]));
    assert!(!refused(vec![config("https://id.example.com/jwks.json")]));
    assert!(!refused(vec![config("http://127.0.0.1:8081/jwks.json")]));
}
