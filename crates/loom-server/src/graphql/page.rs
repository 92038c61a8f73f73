//! Pages of lists, as connections.

use super::desk::Desk;
use crate::cursor;
use crate::problem::Problem;
use async_graphql::OutputType;
use async_graphql::connection::{Connection, CursorType, Edge};
use loom_protocol::ErrorCode;
use std::ops::Range;

/// A page of items, each with its cursor, that begins behind `after`.
pub(super) fn connection<C, N>(
    after: Option<&str>,
    more: bool,
    items: impl IntoIterator<Item = (C, N)>,
) -> Connection<C, N>
where
    C: CursorType + Send + Sync,
    N: OutputType,
{
    let mut page = Connection::new(after.is_some(), more);
    page.edges.extend(items.into_iter().map(|(cursor, node)| Edge::new(cursor, node)));
    page
}

/// A page of a list that is at hand, and to which things are added only at its end. A cursor is the
/// item's place in it.
pub(super) fn slice<T, N: OutputType>(
    desk: &Desk,
    list: &[T],
    first: Option<usize>,
    after: Option<&str>,
    node: impl Fn(&T) -> N,
) -> Result<Connection<usize, N>, Problem> {
    let count = desk.app.config.limits.page("first", first)?;
    places(list.len(), count, after, |at| node(&list[at]))
}

/// The same of a list of this length, of which each item is made by its place.
pub(super) fn places<N: OutputType>(
    len: usize,
    count: usize,
    after: Option<&str>,
    node: impl Fn(usize) -> N,
) -> Result<Connection<usize, N>, Problem> {
    let range = range(len, count, after)?;
    let more = range.end < len;
    Ok(connection(after, more, range.map(|at| (at, node(at)))))
}

/// A page of things in the order of their names, between which more may come. A cursor is the thing's
/// name.
pub(super) fn named<T, N: OutputType>(
    all: impl Iterator<Item = T>,
    count: usize,
    after: Option<&str>,
    name: impl Fn(&T) -> &str,
    node: impl Fn(T) -> N,
) -> Connection<String, N> {
    let mut rest = all.filter(|it| after.is_none_or(|after| name(it) > after));
    let page: Vec<(String, N)> =
        rest.by_ref().take(count).map(|it| (name(&it).to_owned(), node(it))).collect();
    connection(after, rest.next().is_some(), page)
}

/// A page of a list that is at hand, in the order of what `key` makes of the place that each item has.
/// Cursors are those of the list of this name over REST.
pub(super) fn ordered<T, K: Ord, N: OutputType>(
    desk: &Desk,
    list: &str,
    all: Vec<T>,
    (first, after): (Option<usize>, Option<String>),
    place: impl Fn(&T) -> &str,
    key: impl Fn(&str) -> K,
    node: impl Fn(T) -> N,
) -> Result<Connection<String, N>, Problem> {
    let count = desk.app.config.limits.page("first", first)?;
    let from = cursor::open(list, after)?;
    let (items, next) = cursor::cut(all, from.as_deref(), count, &place, key);
    let items = items.into_iter().map(|it| (cursor::sealed(list, place(&it)), node(it)));
    Ok(connection(from.as_deref(), next.is_some(), items))
}

/// The places of a page behind a cursor.
fn range(len: usize, count: usize, after: Option<&str>) -> Result<Range<usize>, Problem> {
    let begin = match after.map(str::parse::<usize>) {
        None => 0,
        Some(Ok(place)) if place < len => place + 1,
        Some(_) => {
            return Err(Problem::new(ErrorCode::BadCursor, "`after` is not of this list")
                .help("begin with the first page: leave `after` out"));
        }
    };
    Ok(begin..len.min(begin.saturating_add(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        for (len, count, after, expected) in [
            (0, 5, None, Some(0..0)),
            (7, 5, None, Some(0..5)),
            (7, 5, Some("4"), Some(5..7)),
            (7, 5, Some("6"), Some(7..7)),
            (7, 5, Some("7"), None),
            (7, 5, Some("-1"), None),
            (7, 5, Some("x"), None),
            (0, 5, Some("0"), None),
            (7, 5, Some("99999999999999999999999"), None),
        ] {
            let found = range(len, count, after).map_err(|problem| problem.code);
            assert_eq!(found, expected.ok_or(ErrorCode::BadCursor), "{after:?} of {len}");
        }
    }
}
