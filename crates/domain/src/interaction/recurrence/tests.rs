use super::*;

fn read_text(text: &str) -> Result<String, String> {
    text.parse::<Recurrence>()
        .map(|recurrence| recurrence.as_str().to_owned())
}

#[test]
fn a_rule_is_brought_to_its_one_form() {
    for (text, form) in [
        ("FREQ=DAILY", "FREQ=DAILY"),
        ("RRULE:byday=fr,MO,mo;interval=1;freq=weekly", "FREQ=WEEKLY;BYDAY=MO,FR"),
        ("FREQ=MONTHLY;BYDAY=-1FR,1MO", "FREQ=MONTHLY;BYDAY=-1FR,1MO"),
        (
            "WKST=SU;COUNT=3;FREQ=WEEKLY;INTERVAL=2",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=3;WKST=SU",
        ),
        ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231"),
        ("FREQ=DAILY;UNTIL=20261231T220000Z", "FREQ=DAILY;UNTIL=20261231T220000Z"),
        (
            "FREQ=YEARLY;BYMONTH=12,1,01;BYMONTHDAY=-1",
            "FREQ=YEARLY;BYMONTH=1,12;BYMONTHDAY=-1",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
        ),
    ] {
        assert_eq!(read_text(text).as_deref(), Ok(form), "{text}");
        assert_eq!(read_text(form).as_deref(), Ok(form), "the one form stays as it is");
    }
}

#[test]
fn what_is_no_rule_or_could_burn_time_is_refused() {
    for text in [
        "",
        "DAILY",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=HOURLY;COUNT=2",
        "INTERVAL=2",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=1001",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;COUNT=2;UNTIL=20261231",
        "FREQ=DAILY;UNTIL=20260230",
        "FREQ=DAILY;UNTIL=20261231T220000",
        "FREQ=DAILY;BYHOUR=1,2,3",
        "FREQ=YEARLY;BYYEARDAY=1",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=XXMO",
        "FREQ=MONTHLY;BYDAY=ö",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=DAILY;WKST=XX",
        "FREQ=DAILY\r\nATTACH:x",
    ] {
        assert!(read_text(text).is_err(), "{text}");
    }
    let long = format!("FREQ=YEARLY;BYMONTHDAY={}", vec!["1"; 200].join(","));
    assert!(read_text(&long).is_err());
}

#[test]
fn what_is_counted_ends_with_the_last_one() {
    let three: Recurrence = "FREQ=DAILY;COUNT=3".parse().unwrap();
    let two = three.continued().unwrap();
    assert_eq!(two.as_str(), "FREQ=DAILY;COUNT=2");
    assert_eq!(two.continued().unwrap().continued(), None);
    let ever: Recurrence = "FREQ=DAILY".parse().unwrap();
    assert_eq!(ever.continued(), Some(ever));
}
