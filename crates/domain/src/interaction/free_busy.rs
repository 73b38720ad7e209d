//! When somebody is busy: the spans of many appointments as a few that do not touch.

use crate::interaction::series::TimeSpan;

/// The spans inside a window, merged: in order, none of them touching another, all of them inside.
pub fn busy(spans: impl IntoIterator<Item = TimeSpan>, window: TimeSpan) -> Vec<TimeSpan> {
    let clipped = spans.into_iter().map(|span| TimeSpan {
        starts_at: span.starts_at.max(window.starts_at),
        ends_at: span.ends_at.min(window.ends_at),
    });
    let mut spans: Vec<_> = clipped.filter(|span| span.starts_at < span.ends_at).collect();
    spans.sort_unstable();
    let mut merged: Vec<TimeSpan> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.starts_at <= last.ends_at => last.ends_at = last.ends_at.max(span.ends_at),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sql::Timestamp;

    fn span(starts_at: i64, ends_at: i64) -> TimeSpan {
        let at = |minute: i64| Timestamp::from_micros(minute * 60_000_000).unwrap();
        TimeSpan {
            starts_at: at(starts_at),
            ends_at: at(ends_at),
        }
    }

    #[test]
    fn spans_that_touch_become_one() {
        let found = busy([span(30, 40), span(0, 10), span(10, 20), span(5, 7)], span(2, 35));
        assert_eq!(found, [span(2, 20), span(30, 35)]);
        assert_eq!(busy([span(0, 10), span(20, 30)], span(10, 20)), []);
    }

    proptest! {
        #[test]
        fn every_minute_is_busy_exactly_when_a_span_holds_it(
            spans in prop::collection::vec((0_i64..100, 0_i64..30), 0..12),
            window in (0_i64..100, 1_i64..60),
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(start, length)| span(start, start + length)).collect();
            let window = span(window.0, window.0 + window.1);
            let found = busy(spans.clone(), window);

            prop_assert!(found.windows(2).all(|pair| pair[0].ends_at < pair[1].starts_at), "in order and apart");
            prop_assert!(found.iter().all(|own| own.starts_at < own.ends_at));
            let is_inside = |own: &TimeSpan| window.starts_at <= own.starts_at && own.ends_at <= window.ends_at;
            prop_assert!(found.iter().all(is_inside));
            let holds = |spans: &[TimeSpan], minute: i64| {
                let now = span(minute, minute).starts_at;
                spans.iter().any(|span| span.starts_at <= now && now < span.ends_at)
            };
            for minute in 0..200 {
                let expected = holds(&spans, minute) && holds(&[window], minute);
                prop_assert_eq!(holds(&found, minute), expected, "minute {}", minute);
            }
        }
    }
}
