//! Which customers may be one and the same: by what they are looked up, and how alike two of them are.

use super::customers::{Customer, CustomerFields, CustomerKind};
use crate::search::fold;
use chrono::NaiveDate;
use serde::Serialize;
use sql::ids::CustomerId;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// From this score on a new customer is refused as a duplicate.
pub const REFUSED: f64 = 0.8;

/// The values by which possible duplicates are looked up, in the order of their names. `emails` and `phones` are fields
/// that filters know, too.
pub const KEYS: [&str; 4] = ["emails", NAME_KEYS, "phones", TAX_KEYS];
/// The sound of a name with a city, a postal code or a birth date: names alone are too many.
pub const NAME_KEYS: &str = "name_keys";
/// Tax numbers without spaces and punctuation.
pub const TAX_KEYS: &str = "tax_keys";

sql::text_enum! {
    /// In what two customers are alike.
    pub enum DuplicateReason {
        /// They have the same e-mail address, in any case.
        Email = "email",
        /// They have the same phone number.
        Phone = "phone",
        /// They have the same tax number.
        TaxId = "tax_id",
        /// Their names are similar.
        Name = "name",
        /// They were born on the same day.
        BirthDate = "birth_date",
        /// They have the same postal code.
        PostalCode = "postal_code",
        /// They are in the same city.
        City = "city",
    }
}

/// One thing in which two customers are alike.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DuplicateEvidence {
    /// What it is.
    pub reason: DuplicateReason,
    /// How similar they are in it.
    #[schema(minimum = 0, maximum = 1)]
    pub similarity: f64,
}

/// How alike two customers are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Likeness {
    /// From 0, nothing in common, to 1. From 0.8 on a new customer is refused.
    #[schema(minimum = 0, maximum = 1)]
    pub score: f64,
    /// In what they are alike, what weighs most first.
    pub reasons: Vec<DuplicateEvidence>,
}

/// A customer that may be the same as another one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DuplicateCandidate {
    /// The customer.
    #[schema(value_type = uuid::Uuid)]
    pub id: CustomerId,
    /// What it is called.
    pub name: String,
    /// How alike they are.
    #[serde(flatten)]
    pub likeness: Likeness,
}

/// Two customers that may be the same.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DuplicatePair {
    /// The two, the one that was created first before the other.
    pub customers: Vec<DuplicateName>,
    /// How alike they are.
    #[serde(flatten)]
    pub likeness: Likeness,
}

/// One of two customers that may be the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DuplicateName {
    /// The customer.
    #[schema(value_type = uuid::Uuid)]
    pub id: CustomerId,
    /// What it is called.
    pub name: String,
}

impl From<&Customer> for DuplicateName {
    fn from(customer: &Customer) -> Self {
        Self {
            id: CustomerId(customer.meta.id.0),
            name: customer.fields.name.clone(),
        }
    }
}

/// What says who a customer is, in a form that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    kind: CustomerKind,
    name: String,
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
    tax_ids: BTreeSet<String>,
    cities: BTreeSet<String>,
    postal_codes: BTreeSet<String>,
    birth_date: Option<NaiveDate>,
}

impl Identity {
    /// Of what is known of a customer.
    pub fn of(fields: &CustomerFields) -> Self {
        let addresses = || fields.addresses.iter();
        let codes = addresses().filter_map(|address| address.postal_code.as_deref());
        let cities = addresses().filter_map(|address| address.city.as_deref());
        Self {
            kind: fields.kind,
            name: plain_name(&fields.name),
            emails: fields.emails.iter().map(|email| email.address.to_lowercase()).collect(),
            phones: fields.phones.iter().map(|phone| phone.number.clone()).collect(),
            tax_ids: fields
                .organisation
                .tax_id
                .iter()
                .map(|id| bare(id))
                .filter(|id| !id.is_empty())
                .collect(),
            cities: cities.map(fold).filter(|city| !city.is_empty()).collect(),
            postal_codes: codes.map(bare).filter(|code| !code.is_empty()).collect(),
            birth_date: fields.birth_date,
        }
    }

    /// What it is looked up by: a name of [`KEYS`] and a value. Who shares none of them is no candidate.
    pub fn keys(&self) -> BTreeSet<(&'static str, String)> {
        let of = |name, values: &BTreeSet<String>| {
            values
                .iter()
                .map(move |value| (name, value.clone()))
                .collect::<Vec<_>>()
        };
        let mut keys: BTreeSet<_> = of("emails", &self.emails).into_iter().collect();
        keys.extend(of("phones", &self.phones));
        keys.extend(of(TAX_KEYS, &self.tax_ids));
        keys.extend(self.name_keys().into_iter().map(|key| (NAME_KEYS, key)));
        keys
    }

    /// The sound of the name with each thing that may make it that of one and the same.
    fn name_keys(&self) -> Vec<String> {
        let sounds: Vec<String> = self
            .name
            .split(' ')
            .map(sound)
            .filter(|sound| !sound.is_empty())
            .collect();
        if sounds.is_empty() {
            return Vec::new();
        }
        let sounds = sounds.join("");
        let born = self.birth_date.map(|date| date.to_string());
        let places = self.cities.iter().chain(&self.postal_codes).chain(&born);
        places
            .map(|with| format!("{sounds} {with}").chars().take(200).collect())
            .collect()
    }

    /// How alike two customers are: each thing in which they are leaves less room for doubt. Persons and organisations
    /// are never the same.
    pub fn likeness(&self, other: &Self) -> Likeness {
        if self.kind != other.kind {
            return Likeness {
                score: 0.0,
                reasons: Vec::new(),
            };
        }
        let share = |one: &BTreeSet<String>, two: &BTreeSet<String>| if one.is_disjoint(two) { 0.0 } else { 1.0 };
        let name = name_similarity(&self.name, &other.name);
        let born = if self.birth_date.is_some() && self.birth_date == other.birth_date {
            1.0
        } else {
            0.0
        };
        // In one city many persons bear the same name, but hardly two companies.
        let city = if self.kind == CustomerKind::Organisation {
            0.35
        } else {
            0.25
        };
        let evidence = [
            (DuplicateReason::Email, 0.9, share(&self.emails, &other.emails)),
            (DuplicateReason::TaxId, 0.9, share(&self.tax_ids, &other.tax_ids)),
            (DuplicateReason::Name, 0.7, name),
            (DuplicateReason::Phone, 0.6, share(&self.phones, &other.phones)),
            (DuplicateReason::BirthDate, 0.6, born),
            (
                DuplicateReason::PostalCode,
                0.4,
                share(&self.postal_codes, &other.postal_codes),
            ),
            (DuplicateReason::City, city, share(&self.cities, &other.cities)),
        ];
        let found = evidence.iter().filter(|(_, _, similarity)| *similarity > 0.0);
        let doubt: f64 = found
            .clone()
            .map(|(_, weight, similarity)| 1.0 - weight * similarity * similarity)
            .product();
        let reasons = found.map(|(reason, _, similarity)| DuplicateEvidence {
            reason: *reason,
            similarity: rounded(*similarity),
        });
        Likeness {
            score: rounded(1.0 - doubt),
            reasons: reasons.collect(),
        }
    }
}

fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

/// Below this, names say nothing.
const SIMILAR: f64 = 0.8;

/// How similar two plain names are, by Jaro and Winkler.
fn name_similarity(one: &str, other: &str) -> f64 {
    if one.is_empty() || other.is_empty() {
        return 0.0;
    }
    // The measure may depend on which comes first.
    let similarity = strsim::jaro_winkler(one.min(other), one.max(other));
    if similarity < SIMILAR { 0.0 } else { similarity }
}

/// What companies are, which says nothing of who they are.
const LEGAL_FORMS: &[&str] = &[
    "ab",
    "ag",
    "as",
    "bv",
    "co",
    "corp",
    "corporation",
    "gmbh",
    "inc",
    "incorporated",
    "kg",
    "limited",
    "llc",
    "llp",
    "ltd",
    "nv",
    "oy",
    "plc",
    "pte",
    "pty",
    "sa",
    "sarl",
    "se",
    "spa",
    "srl",
    "the",
];

/// A name to be compared: folded, without punctuation and legal forms, its words in one order.
fn plain_name(name: &str) -> String {
    let folded = fold(name);
    let mut words: Vec<&str> = folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if words.iter().any(|word| !LEGAL_FORMS.contains(word)) {
        words.retain(|word| !LEGAL_FORMS.contains(word));
    }
    words.sort_unstable();
    words.join(" ")
}

/// Letters and digits only, in upper case.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}

/// How a word sounds, by the rules of Soundex: its first letter and the classes of the next three consonants.
fn sound(word: &str) -> String {
    let class = |c: u8| match c {
        b'b' | b'f' | b'p' | b'v' => b'1',
        b'c' | b'g' | b'j' | b'k' | b'q' | b's' | b'x' | b'z' => b'2',
        b'd' | b't' => b'3',
        b'l' => b'4',
        b'm' | b'n' => b'5',
        b'r' => b'6',
        b'h' | b'w' => b'-',
        _ => b'0',
    };
    let Some((first, rest)) = word.as_bytes().split_first() else {
        return String::new();
    };
    if !first.is_ascii_alphabetic() {
        return word.chars().take(8).collect();
    }
    let (mut sound, mut last) = (String::from(char::from(*first)), class(*first));
    for class in rest.iter().map(|c| class(*c)).filter(|class| *class != b'-') {
        if class != b'0' && class != last {
            sound.push(char::from(class));
        }
        last = class;
        if sound.len() == 4 {
            break;
        }
    }
    sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Fields;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn identity(json: Value) -> Identity {
        let fields: CustomerFields = serde_json::from_value(json).unwrap();
        Identity::of(&fields.checked().unwrap())
    }

    fn ada(more: impl Into<Value>) -> Identity {
        let mut json = json!({"kind": "person", "name": "Ada Lovelace"});
        crate::input::merge(&mut json, &more.into());
        identity(json)
    }

    fn company(name: &str, city: &str) -> Identity {
        identity(json!({"kind": "organisation", "name": name, "addresses": [{"city": city}]}))
    }

    #[test]
    fn worked_pairs() {
        let email = |address: &str| json!({"emails": [{"address": address}]});
        let phone = json!({"phones": [{"number": "+493012345678"}]});
        let named = |name: &str, more: &Value| {
            let mut json = more.clone();
            json["name"] = json!(name);
            ada(json)
        };
        let born = json!({"birth_date": "1980-02-03"});
        let code = |code: &str| json!({"addresses": [{"postal_code": code}]});
        for (one, other, refused) in [
            // The same e-mail in any case refuses, whatever the names.
            (
                ada(email("ada@example.com")),
                named("Bob", &email("ADA@example.com")),
                true,
            ),
            (ada(email("a.da@example.com")), ada(email("ada@example.com")), false),
            // Households share a phone; the same name with it is one and the same.
            (ada(phone.clone()), named("Bob Lovelace", &phone), false),
            (ada(phone.clone()), named("Ada Lovelase", &phone), true),
            (ada(json!({})), ada(json!({})), false),
            (ada(born.clone()), named("Lovelace, Ada", &born), true),
            (ada(born.clone()), named("Bob Miller", &born), false),
            (ada(code("SW1Y 4JH")), ada(code("sw1y4jh")), true),
            (company("Acme GmbH", "Hamburg"), company("ACME", "hamburg"), true),
            (company("Acme", "Hamburg"), company("Acme", "Berlin"), false),
        ] {
            let likeness = one.likeness(&other);
            assert_eq!(likeness.score >= REFUSED, refused, "{one:?} {other:?}: {likeness:?}");
        }
        let tax = |id: &str| identity(json!({"kind": "organisation", "name": id, "organisation": {"tax_id": id}}));
        assert!(tax("DE 123.456").likeness(&tax("de123456")).score >= REFUSED);
        let person = ada(email("office@example.com"));
        let office = identity(
            json!({"kind": "organisation", "name": "Ada Lovelace", "emails": [{"address": "office@example.com"}]}),
        );
        assert!(person.likeness(&office).score < f64::EPSILON);
    }

    #[test]
    fn names_that_sound_alike_have_the_same_key() {
        for (one, other) in [("Jon Smith", "John Smyth"), ("Müller & Söhne AG", "Mueller Soehne")] {
            let keys = |name| company(name, "Ulm").keys();
            assert_eq!(keys(one), keys(other), "{one} {other}");
        }
        assert!(ada(json!({})).keys().is_empty(), "a name alone is no key");
        assert_eq!(
            KEYS.iter()
                .copied()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>(),
            KEYS
        );
    }

    fn some_identity() -> impl Strategy<Value = Identity> {
        let word = prop::sample::select(vec!["Ada", "Adda", "Acme", "GmbH", "Lovelace", "Žižkov", "7"]);
        let names = prop::collection::vec(word, 1..4);
        (any::<bool>(), names, 0..3_u8, 0..3_u8, 0..3_u8).prop_map(|(person, names, email, phone, place)| {
            let kind = if person { "person" } else { "organisation" };
            let mut json = json!({"kind": kind, "name": names.join(" ")});
            if email > 0 {
                json["emails"] = json!([{"address": format!("{email}@example.com")}]);
            }
            if phone > 0 {
                json["phones"] = json!([{"number": format!("+49301234567{phone}")}]);
            }
            if place > 0 {
                json["addresses"] = json!([{"city": format!("City {place}"), "postal_code": format!("{place}")}]);
            }
            identity(json)
        })
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric_and_bounded(one in some_identity(), other in some_identity()) {
            let likeness = one.likeness(&other);
            prop_assert_eq!(&likeness, &other.likeness(&one));
            prop_assert!((0.0..=1.0).contains(&likeness.score));
            // Nobody is refused whom the keys would not have found.
            if likeness.score >= REFUSED {
                prop_assert!(!one.keys().is_disjoint(&other.keys()) || one.name != other.name);
            }
        }

        #[test]
        fn a_name_is_wholly_similar_to_itself(one in some_identity()) {
            prop_assert!((name_similarity(&one.name, &one.name) - 1.0).abs() < f64::EPSILON);
        }
    }
}
