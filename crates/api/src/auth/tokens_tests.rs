//! What a forger may try, each in one row.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

const ISSUER: &str = "https://crm.example.com";

struct Bench {
    tokens: Tokens,
    folder: std::path::PathBuf,
    now: Timestamp,
}

impl Drop for Bench {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Bench {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("rapport-tokens-{}", uuid::Uuid::now_v7()));
        let keys = Arc::new(KeyRing::open(&folder).unwrap());
        Self {
            tokens: Tokens::new(ISSUER, keys),
            folder,
            now: Timestamp::now(),
        }
    }

    fn grant() -> Grant {
        Grant {
            tenant: TenantId::new(),
            principal: PrincipalId::new(),
            service_account: false,
            scope: "customers:read".into(),
            session: Some(TokenId::new()),
            life: LIFE,
        }
    }

    fn key(&self) -> Arc<Key> {
        self.tokens.keys.signing(self.now).unwrap()
    }

    fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.key().id})
    }

    fn claims(&self) -> Value {
        let token = self.tokens.issue(&Self::grant(), self.now).unwrap();
        part(&token, 1)
    }

    /// A token with any header and claims, signed with the true key.
    fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), self.key().signer(), Algorithm::EdDSA).unwrap();
        format!("{message}.{signature}")
    }

    fn after(&self, seconds: i64) -> Timestamp {
        (self.now.utc() + chrono::TimeDelta::seconds(seconds)).into()
    }
}

fn message(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn part(token: &str, index: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn with(mut value: Value, name: &str, replacement: Value) -> Value {
    value[name] = replacement;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().shift_remove(name);
    value
}

#[test]
fn a_token_says_what_it_was_asked_to_say() {
    let bench = Bench::new();
    let grant = Bench::grant();
    let token = bench.tokens.issue(&grant, bench.now).unwrap();
    let claims = bench.tokens.verify(&token, bench.now).unwrap();
    assert_eq!(
        (claims.tenant, claims.sub, claims.sid),
        (grant.tenant, grant.principal, grant.session)
    );
    assert_eq!(claims.scope, grant.scope);
    assert_eq!(claims.client_id, FIRST_PARTY_CLIENT);
    assert_eq!(claims.exp - claims.iat, 600);
    assert_eq!(part(&token, 0), with(bench.header(), "typ", "at+jwt".into()));
}

#[test]
fn a_service_account_is_its_own_client() {
    let bench = Bench::new();
    let grant = Grant {
        service_account: true,
        ..Bench::grant()
    };
    let token = bench.tokens.issue(&grant, bench.now).unwrap();
    let claims = bench.tokens.verify(&token, bench.now).unwrap();
    assert_eq!(claims.client_id, grant.principal.to_string());
}

#[test]
fn time_counts_with_leeway() {
    let bench = Bench::new();
    let token = bench.tokens.issue(&Bench::grant(), bench.now).unwrap();
    assert!(bench.tokens.verify(&token, bench.after(629)).is_ok());
    assert_eq!(
        bench.tokens.verify(&token, bench.after(631)),
        Err(InvalidToken::Expired)
    );
    assert!(bench.tokens.verify(&token, bench.after(-29)).is_ok());
    assert_eq!(
        bench.tokens.verify(&token, bench.after(-31)),
        Err(InvalidToken::Premature)
    );
}

#[test]
fn no_life_is_longer_than_the_longest() {
    let bench = Bench::new();
    let grant = Grant {
        life: Duration::from_hours(1000),
        ..Bench::grant()
    };
    let token = bench.tokens.issue(&grant, bench.now).unwrap();
    let claims = bench.tokens.verify(&token, bench.now).unwrap();
    assert_eq!(claims.exp - claims.iat, 86_400);
}

#[test]
fn the_builder_of_forgeries_makes_a_good_token_when_nothing_is_forged() {
    let bench = Bench::new();
    let token = bench.signed(&bench.header(), &bench.claims());
    assert!(bench.tokens.verify(&token, bench.now).is_ok());
}

#[test]
fn forged_headers_are_refused() {
    let bench = Bench::new();
    let (header, claims) = (bench.header(), bench.claims());
    let own_key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let table = [
        ("alg none", with(header.clone(), "alg", "none".into())),
        ("alg NONE", with(header.clone(), "alg", "NoNe".into())),
        ("alg missing", without(header.clone(), "alg")),
        ("alg of another family", with(header.clone(), "alg", "RS256".into())),
        ("kid missing", without(header.clone(), "kid")),
        (
            "kid unknown",
            with(header.clone(), "kid", uuid::Uuid::now_v7().to_string().into()),
        ),
        ("kid as a path", with(header.clone(), "kid", "../../etc/passwd".into())),
        ("kid as SQL", with(header.clone(), "kid", "' OR 1=1 --".into())),
        ("kid of a wrong type", with(header.clone(), "kid", json!({"a": 1}))),
        (
            "jku",
            with(header.clone(), "jku", "https://evil.example/jwks.json".into()),
        ),
        (
            "x5u",
            with(header.clone(), "x5u", "https://evil.example/x5u.pem".into()),
        ),
        ("x5c", with(header.clone(), "x5c", json!(["MIIB"]))),
        ("jwk", with(header.clone(), "jwk", own_key)),
        ("crit", with(header.clone(), "crit", json!(["exp"]))),
        ("zip", with(header.clone(), "zip", "DEF".into())),
        ("typ missing", without(header.clone(), "typ")),
        ("typ JWT", with(header.clone(), "typ", "JWT".into())),
        ("typ of an id token", with(header.clone(), "typ", "id+jwt".into())),
        ("not an object", json!("EdDSA")),
    ];
    for (name, forged) in table {
        let token = bench.signed(&forged, &claims);
        assert!(bench.tokens.verify(&token, bench.now).is_err(), "{name}");
    }
}

#[test]
fn forged_claims_are_refused() {
    let bench = Bench::new();
    let claims = bench.claims();
    let past = bench.now.utc().timestamp() - 3600;
    let future = bench.now.utc().timestamp() + 3600;
    let mut table = vec![
        (
            "iss of another",
            with(claims.clone(), "iss", "https://evil.example".into()),
        ),
        (
            "iss with a slash more",
            with(claims.clone(), "iss", format!("{ISSUER}/").into()),
        ),
        (
            "iss as a list",
            with(claims.clone(), "iss", json!(["https://evil.example", ISSUER])),
        ),
        (
            "aud of another",
            with(claims.clone(), "aud", "https://other.example".into()),
        ),
        ("exp in the past", with(claims.clone(), "exp", past.into())),
        ("exp as text", with(claims.clone(), "exp", future.to_string().into())),
        ("exp negative", with(claims.clone(), "exp", (-1).into())),
        ("exp at the end of time", with(claims.clone(), "exp", json!(1e300))),
        ("nbf in the future", with(claims.clone(), "nbf", future.into())),
        ("iat in the future", with(claims.clone(), "iat", future.into())),
        ("sub not an id", with(claims.clone(), "sub", "admin".into())),
        ("tenant not an id", with(claims.clone(), "tenant", "*".into())),
        ("scope as a list", with(claims.clone(), "scope", json!(["admin"]))),
        ("not an object", json!([1, 2])),
    ];
    for name in [
        "iss",
        "aud",
        "sub",
        "client_id",
        "exp",
        "iat",
        "nbf",
        "jti",
        "scope",
        "tenant",
    ] {
        table.push((name, without(claims.clone(), name)));
    }
    for (name, forged) in table {
        let token = bench.signed(&bench.header(), &forged);
        assert!(bench.tokens.verify(&token, bench.now).is_err(), "{name}");
    }
}

#[test]
fn forged_signatures_are_refused() {
    let bench = Bench::new();
    let (header, claims) = (bench.header(), bench.claims());
    let message = message(&header, &claims);
    let good = bench.signed(&header, &claims);
    let public = bench.tokens.keys.published(bench.now).keys[0].x.clone();
    let other = Bench::new();
    let stranger = jsonwebtoken::crypto::sign(message.as_bytes(), other.key().signer(), Algorithm::EdDSA).unwrap();

    // The classic: the public key, which everyone knows, taken as the secret of an HMAC.
    let hs256 = self::message(&with(header.clone(), "alg", "HS256".into()), &claims);
    let confused = |secret: &[u8]| {
        let key = EncodingKey::from_secret(secret);
        format!(
            "{hs256}.{}",
            jsonwebtoken::crypto::sign(hs256.as_bytes(), &key, Algorithm::HS256).unwrap()
        )
    };
    let swapped = self::message(&header, &with(claims.clone(), "scope", "admin".into()));
    let signature = good.rsplit('.').next().unwrap();
    let table = [
        ("none", format!("{message}.")),
        ("no third part", message.clone()),
        ("four parts", format!("{good}.x")),
        ("by a stranger", format!("{message}.{stranger}")),
        ("all zeros", format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("cut short", good[..good.len() - 4].to_owned()),
        ("not base64", format!("{message}.***")),
        ("of another message", format!("{swapped}.{signature}")),
        (
            "HS256 with the public key",
            confused(&URL_SAFE_NO_PAD.decode(&public).unwrap()),
        ),
        ("HS256 with the public key's text", confused(public.as_bytes())),
        ("empty", String::new()),
        ("dots", "..".into()),
        ("not ASCII", "é.é.é".into()),
        ("too long", "a".repeat(1_000_000)),
    ];
    for (name, token) in table {
        assert!(bench.tokens.verify(&token, bench.now).is_err(), "{name}");
    }
    assert!(bench.tokens.verify(&good, bench.now).is_ok());
}

#[test]
fn tokens_outlive_a_rotation_and_the_key_of_tomorrow_is_known_today() {
    let bench = Bench::new();
    let before = bench.tokens.issue(&Bench::grant(), bench.now).unwrap();
    KeyRing::rotate(&bench.folder).unwrap();
    bench.tokens.keys.reread().unwrap();
    assert!(bench.tokens.verify(&before, bench.now).is_ok());

    let just_before = bench.tokens.issue(&Bench::grant(), bench.after(899)).unwrap();
    let just_after = bench.tokens.issue(&Bench::grant(), bench.after(902)).unwrap();
    assert_ne!(part(&just_before, 0)["kid"], part(&just_after, 0)["kid"]);
    for token in [&just_before, &just_after] {
        assert!(bench.tokens.verify(token, bench.after(905)).is_ok());
        assert!(bench.tokens.verify(token, bench.after(1400)).is_ok());
    }
}
