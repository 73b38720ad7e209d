//! The raw material of synthetic records: syllables that make no real name, places with their postal codes,
//! telephone numbers from ranges that regulators keep for fiction, and what is talked about.

/// A place a customer may live in. `#` stands for a digit.
pub(super) struct Place {
    pub(super) country: &'static str,
    pub(super) city: &'static str,
    pub(super) region: &'static str,
    pub(super) postal_code: &'static str,
    pub(super) time_zone: &'static str,
    pub(super) language: &'static str,
    /// In E.164, from a range that is never given to anybody.
    pub(super) phone: &'static str,
    /// A street with its number, as it is written there.
    pub(super) street: &'static str,
}

macro_rules! places {
    ($($country:literal $language:literal $zone:literal $street:literal: $($city:literal $region:literal $code:literal $phone:literal),+;)+) => {
        &[$($(Place {
            country: $country, city: $city, region: $region, postal_code: $code, time_zone: $zone,
            language: $language, phone: $phone, street: $street,
        },)+)+]
    };
}

/// `{}` in a street is the number, `*` its name.
pub(super) const PLACES: &[Place] = places! {
    "US" "en" "America/New_York" "{} * Street":
        "Boston" "MA" "021##" "+161755501##",
        "New York" "NY" "100##" "+121255501##",
        "Washington" "DC" "200##" "+120255501##";
    "US" "en" "America/Los_Angeles" "{} * Avenue":
        "San Francisco" "CA" "941##" "+141555501##";
    "GB" "en" "Europe/London" "{} * Road":
        "London" "Greater London" "SE# #AA" "+4420794609##",
        "Leeds" "West Yorkshire" "LS# #AB" "+4411349609##",
        "Birmingham" "West Midlands" "B## #AD" "+4412149609##";
    "FR" "fr" "Europe/Paris" "{} rue *":
        "Paris" "Île-de-France" "750##" "+3319900####",
        "Rennes" "Bretagne" "350##" "+3326191####",
        "Lyon" "Auvergne-Rhône-Alpes" "690##" "+3346571####";
    "DE" "de" "Europe/Berlin" "*straße {}":
        "Berlin" "Berlin" "10###" "+493023125###",
        "München" "Bayern" "80###" "+498999998###",
        "Hamburg" "Hamburg" "20###" "+494066969###",
        "Frankfurt am Main" "Hessen" "60###" "+496990009###";
    "SE" "sv" "Europe/Stockholm" "*gatan {}":
        "Stockholm" "Stockholms län" "11# ##" "+468465004##",
        "Göteborg" "Västra Götalands län" "41# ##" "+463139006##";
    "AU" "en" "Australia/Sydney" "{} * Parade":
        "Sydney" "NSW" "20##" "+6125550####",
        "Newcastle" "NSW" "23##" "+6127010####";
};

/// Beginnings, middles and endings of names.
pub(super) const HEADS: &[&str] = &[
    "Al", "Be", "Ca", "Da", "El", "Fa", "Ga", "Ha", "Il", "Jo", "Ka", "Lu", "Ma", "Ne", "Or", "Pe", "Qui", "Ro", "Sa",
    "Te", "Ul", "Va", "We", "Xa", "Yo", "Ze",
];
pub(super) const MIDDLES: &[&str] = &[
    "bri", "cor", "dan", "fel", "gor", "lam", "len", "lo", "mar", "mo", "nel", "ra", "ri", "san", "ta", "ver", "vi",
    "zo",
];
pub(super) const GIVEN_TAILS: &[&str] = &["a", "an", "en", "ia", "in", "io", "is", "o", "on", "ya"];
pub(super) const FAMILY_TAILS: &[&str] = &[
    "dale", "feld", "grove", "ler", "man", "mont", "son", "stad", "ti", "wick",
];

/// What organisations do and how they are called after it.
pub(super) const INDUSTRIES: &[(&str, &str)] = &[
    ("agriculture", "Farms"),
    ("construction", "Builders"),
    ("education", "Learning"),
    ("energy", "Energy"),
    ("finance", "Capital"),
    ("health", "Health"),
    ("logistics", "Freight"),
    ("manufacturing", "Works"),
    ("media", "Media"),
    ("retail", "Stores"),
    ("software", "Systems"),
    ("tourism", "Travel"),
];

pub(super) const DOMAINS: &[&str] = &["example.com", "example.org", "example.net"];
pub(super) const INTERESTS: &[&str] = &[
    "books",
    "cooking",
    "cycling",
    "design",
    "football",
    "gardening",
    "history",
    "music",
    "photography",
    "sailing",
    "travel",
];
pub(super) const TAGS: &[&str] = &[
    "fair-2025",
    "fair-2026",
    "newsletter",
    "partner",
    "pilot",
    "referred",
    "vip",
];
pub(super) const OCCUPATIONS: &[&str] = &[
    "accountant",
    "buyer",
    "driver",
    "engineer",
    "farmer",
    "manager",
    "nurse",
    "shopkeeper",
    "student",
    "teacher",
];
pub(super) const PRODUCT_KINDS: &[(&str, &str)] = &[
    ("Desk", "furniture"),
    ("Lamp", "lighting"),
    ("Licence", "software"),
    ("Pump", "machinery"),
    ("Router", "network"),
    ("Scanner", "devices"),
    ("Sensor", "devices"),
    ("Support Plan", "services"),
];

/// What interactions are about, in a line and at length.
pub(super) const TOPICS: &[(&str, &str)] = &[
    (
        "Offer",
        "Went through the offer line by line; wants it with a longer term of payment.",
    ),
    (
        "Delivery date",
        "Asked when the goods leave the house. Told the date on the order.",
    ),
    (
        "Invoice",
        "One position on the invoice was not clear. Explained, no change needed.",
    ),
    (
        "Price list",
        "Wants the list of this quarter, with the discounts for larger quantities.",
    ),
    ("Demonstration", "Would like to see the device at work before deciding."),
    (
        "Renewal",
        "The term ends soon. Is content and thinks of going on for two years.",
    ),
    ("Return", "Part of the delivery goes back: it was ordered twice."),
    ("Service visit", "The yearly inspection is due. Agreed upon a day."),
    (
        "Introduction",
        "First contact. Spoke about what we do and what is needed there.",
    ),
    ("References", "Asked who else of the industry works with it."),
    (
        "Contract",
        "Their lawyers have two questions about liability. Passed on.",
    ),
    ("Training", "Three colleagues need an introduction to the new version."),
    (
        "Address change",
        "Is moving house next month; the new address is noted.",
    ),
    ("Thanks", "Said thank you for the quick help."),
];
pub(super) const NETWORKS: &[&str] = &["facebook", "instagram", "linkedin", "mastodon", "x"];

/// What tickets are about, the queue in which they wait, and what the customer wrote.
pub(super) const MATTERS: &[(&str, &str, &str)] = &[
    (
        "Parcel has not arrived",
        "delivery",
        "The parcel was to come last week. Where is it?",
    ),
    (
        "Wrong item delivered",
        "delivery",
        "We ordered the larger one. What shall we do with this?",
    ),
    (
        "Invoice is wrong",
        "billing",
        "The discount that we agreed upon is missing.",
    ),
    (
        "Payment was taken twice",
        "billing",
        "The same amount left our account on two days.",
    ),
    (
        "Device does not start",
        "technical",
        "The lamp lights up and goes out again. Nothing else happens.",
    ),
    (
        "Cannot sign in",
        "technical",
        "The page says that the password is wrong. It is not.",
    ),
    (
        "How to change the settings",
        "technical",
        "Where do we set the language for all users?",
    ),
    (
        "Return of goods",
        "returns",
        "We would like to send back two of the five.",
    ),
    (
        "Change of address",
        "accounts",
        "From next month on we are at another address.",
    ),
    (
        "Copy of a contract",
        "accounts",
        "Please send us a copy of our contract.",
    ),
];

/// Categories of complaints, each with its causes.
pub(super) const COMPLAINTS: &[(&str, &[&str])] = &[
    (
        "billing/invoice/amount",
        &["discount not recorded", "price list out of date"],
    ),
    ("billing/invoice/late", &["invoice run failed"]),
    ("delivery/damaged", &["packaging too weak", "dropped by the courier"]),
    (
        "delivery/late",
        &["courier lost the parcel", "out of stock", "wrong address"],
    ),
    ("product/defect", &["faulty batch", "firmware"]),
    ("service/unfriendly", &["too few people on duty"]),
    ("service/waiting_time", &["too few people on duty", "telephone system"]),
];
