use super::*;

fn compile(options: &Options) -> Result<Convert, String> {
    let mut faults = Vec::new();
    let find = |name: &str| {
        if name == "cur" {
            Ok(0)
        } else {
            Err(format!("no column {name}"))
        }
    };
    let convert = Convert::compile(options, &find, &mut faults);
    if faults.is_empty() {
        Ok(convert.unwrap())
    } else {
        Err(faults.join("\n"))
    }
}

fn read(options: &Options, text: &str) -> Result<Value, String> {
    compile(options).unwrap().read(text, str::to_owned, &["EUR".to_owned()])
}

fn of(kind: Kind) -> Options {
    Options {
        kind: Some(kind),
        ..Options::default()
    }
}

fn money() -> Options {
    Options {
        currency: Some("USD".into()),
        ..of(Kind::Money)
    }
}

#[test]
fn money_in_millions_is_exact() {
    let options = Options {
        multiplier: Some(toml::Value::Integer(1_000_000)),
        ..money()
    };
    assert_eq!(
        read(&options, "1100.04").unwrap(),
        json!({"amount": "1100040000", "currency": "USD"})
    );
    assert_eq!(
        read(&money(), "-0.10").unwrap(),
        json!({"amount": "-0.1", "currency": "USD"})
    );
    assert!(read(&money(), "1,5").unwrap_err().contains("not a number"));
}

#[test]
fn money_may_take_its_currency_from_the_row() {
    let options = Options {
        currency_column: Some("cur".into()),
        ..of(Kind::Money)
    };
    assert_eq!(read(&options, "5").unwrap()["currency"], "EUR");
}

#[test]
fn marks_are_as_the_mapping_says() {
    let options = Options {
        decimal_mark: Some(','),
        group_mark: Some('.'),
        ..of(Kind::Decimal)
    };
    assert_eq!(read(&options, "1.234.567,50").unwrap(), json!("1234567.5"));
    let options = Options {
        decimal_mark: Some(','),
        ..of(Kind::Decimal)
    };
    assert!(read(&options, "1.5").is_err());
}

#[test]
fn integers_are_whole() {
    assert_eq!(read(&of(Kind::Integer), "2822").unwrap(), json!(2822));
    assert_eq!(read(&of(Kind::Integer), "12.0").unwrap(), json!(12));
    assert!(read(&of(Kind::Integer), "12.5").unwrap_err().contains("whole"));
    assert!(read(&of(Kind::Integer), "99999999999999999999").is_err());
}

#[test]
fn dates_follow_their_format() {
    let options = Options {
        format: Some("%d/%m/%Y".into()),
        ..of(Kind::Date)
    };
    assert_eq!(read(&options, "03/02/2001").unwrap(), json!("2001-02-03"));
    assert!(read(&options, "31/02/2001").unwrap_err().contains("%d/%m/%Y"));
    assert_eq!(read(&of(Kind::Date), "2017-03-01").unwrap(), json!("2017-03-01"));
}

#[test]
fn booleans_and_lists() {
    assert_eq!(read(&of(Kind::Bool), "Yes").unwrap(), json!(true));
    assert!(read(&of(Kind::Bool), "maybe").is_err());
    let options = Options {
        separator: Some(";".into()),
        ..of(Kind::List)
    };
    assert_eq!(read(&options, "a; b;;").unwrap(), json!(["a", "b"]));
}

#[test]
fn options_are_checked_before_any_row() {
    let fault = |options: Options| compile(&options).unwrap_err();
    assert!(
        fault(Options {
            format: Some("%Y".into()),
            ..of(Kind::Date)
        })
        .contains("%Y")
    );
    assert!(
        fault(Options {
            format: Some("%Q".into()),
            ..of(Kind::Date)
        })
        .contains("%Q")
    );
    assert!(fault(of(Kind::Money)).contains("currency"));
    assert!(
        fault(Options {
            currency: Some("usd".into()),
            ..of(Kind::Money)
        })
        .contains("ISO 4217")
    );
    assert!(
        fault(Options {
            currency: Some("USD".into()),
            ..of(Kind::Text)
        })
        .contains("money")
    );
    assert!(
        fault(Options {
            currency_column: Some("x".into()),
            ..of(Kind::Money)
        })
        .contains("no column x")
    );
    assert!(
        fault(Options {
            group_mark: Some('.'),
            ..of(Kind::Decimal)
        })
        .contains("both")
    );
    assert!(
        fault(Options {
            multiplier: Some("x".into()),
            ..of(Kind::Decimal)
        })
        .contains("no number")
    );
}
