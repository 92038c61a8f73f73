//! How far subscriptions reach: no further than those who make them.

use super::document::Subscription;
use crate::access::{Caller, Permission};
use crate::problem::Problem;
use loom_protocol::ErrorCode;

/// The namespaces of a new subscription: those that were asked for, if the caller may write webhooks
/// and read events there, or all in which they may.
pub(super) fn granted(
    caller: &Caller,
    asked: Option<&[String]>,
) -> Result<Option<Vec<String>>, Problem> {
    if let Some(asked) = asked {
        if asked.is_empty() {
            return Err(Problem::argument("`namespaces` is empty: leave it out for all"));
        }
        for namespace in asked {
            caller.may(Permission::WebhooksWrite, namespace)?;
            caller.may(Permission::EventsRead, namespace)?;
        }
        return Ok(Some(asked.to_vec()));
    }
    let writes = caller.namespaces(Permission::WebhooksWrite)?;
    let reads = caller.namespaces(Permission::EventsRead)?;
    Ok(match (writes, reads) {
        (Some(writes), Some(reads)) => {
            let both: Vec<_> = writes.into_iter().filter(|name| reads.contains(name)).collect();
            if both.is_empty() {
                let what = "the caller may make webhooks in no namespace whose events it may read";
                return Err(Problem::new(ErrorCode::Forbidden, what));
            }
            Some(both)
        }
        (one, None) | (None, one) => one,
    })
}

/// Whether the caller may do this wherever the subscription's events come from.
pub(super) fn covers(caller: &Caller, permission: Permission, subscription: &Subscription) -> bool {
    match &subscription.namespaces {
        None => caller.may_everywhere(permission).is_ok(),
        Some(names) => names.iter().all(|name| caller.may(permission, name).is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Scope};

    fn caller(permission: Permission, names: &[&str]) -> Grant {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Grant { permissions: [permission].into_iter().collect(), scope: Scope::Namespaces(names) }
    }

    #[test]
    fn a_subscription_reaches_no_further_than_its_maker() {
        let everywhere = Caller::everything("me");
        assert_eq!(granted(&everywhere, None).unwrap(), None);
        let asked = ["a".to_owned()];
        assert_eq!(granted(&everywhere, Some(&asked)).unwrap(), Some(asked.to_vec()));
        granted(&everywhere, Some(&[])).unwrap_err();

        let writes = caller(Permission::WebhooksWrite, &["a", "b"]);
        let reads = caller(Permission::EventsRead, &["b", "c"]);
        let ann = Caller::new("ann", vec![writes.clone(), reads]);
        assert_eq!(granted(&ann, None).unwrap(), Some(vec!["b".to_owned()]));
        granted(&ann, Some(&asked)).unwrap_err();
        let bob = Caller::new("bob", vec![writes, caller(Permission::EventsRead, &["c"])]);
        granted(&bob, None).unwrap_err();
        granted(&Caller::new("nobody", Vec::new()), None).unwrap_err();
    }
}
