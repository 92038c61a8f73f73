//! The conformance suite: what every store must do, one test a behaviour.
//!
//! An implementation says how to make a [`Fixture`] and expands [`crate::store_conformance!`] in its
//! tests; each behaviour becomes a `#[test]` of its own, in a module named after its group.
#![expect(clippy::unwrap_used, reason = "this is test code: a failed call fails the test")]

use crate::Store;

pub mod claim;
pub mod commit;
pub mod documents;
pub mod errors;
pub mod feed;
pub mod list;
pub mod load;
pub mod query;
pub mod requests;
pub mod samples;
pub mod secrets;
pub mod slots;
pub mod upkeep;

/// An empty store, made for one test.
pub trait Fixture {
    /// What its sessions are.
    type Store: Store;

    /// Another session, of a new owner, which lives until the session is dropped.
    fn session(&self) -> Self::Store;

    /// Everything of the store that can be read without its key, or `None` if there is nothing
    /// outside the process's memory.
    fn readable(&self) -> Option<Vec<u8>>;
}

/// Expands to the suite's tests. `$make` is called without arguments for each test and answers with
/// a [`Fixture`].
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::store_conformance!(@group $make, commit:
            is_all_or_nothing_over_several_runs,
            of_a_wrong_number_changes_nothing,
            to_another_owners_run_changes_nothing,
            to_a_released_run_is_refused,
            to_an_ended_run_is_refused,
            creates_a_run_only_once,
            numbers_events_without_a_gap,
            takes_several_commits_of_one_run,
            without_events_may_change_the_state,
            of_nothing_is_fine,
            takes_five_thousand_runs_at_once,
            keeps_large_values_whole,
            keeps_any_text_as_it_is,
        );
        $crate::store_conformance!(@group $make, load:
            answers_with_what_was_committed_for_every_kind_of_event,
            answers_with_what_the_run_was_created_from,
            needs_no_ownership,
        );
        $crate::store_conformance!(@group $make, claim:
            of_a_living_owners_run_is_refused,
            of_a_dead_owners_run_succeeds,
            of_a_released_run_succeeds,
            of_an_ended_run_succeeds_while_its_owner_lives,
            of_an_ended_run_is_undone_by_recording_nothing,
            of_an_own_run_changes_nothing,
            continues_where_the_dead_owner_stopped,
            is_won_by_one_of_many,
            release_of_anothers_run_has_no_effect,
        );
        $crate::store_conformance!(@group $make, requests:
            come_in_order_until_they_are_settled,
            come_only_to_the_runs_owner,
            posted_while_nobody_owned_the_run_come_to_who_claims_it,
            posted_by_the_owner_itself_come_too,
            not_settled_at_the_owners_death_come_to_the_next,
            are_settled_with_their_commit_or_not_at_all,
            are_answered_each_by_itself,
            are_answered_once,
            never_share_an_identity,
            are_withdrawn_only_while_nobody_has_the_run,
            are_forgotten_when_an_answered_one_is_withdrawn,
            end_with_their_run,
            go_with_their_run,
            of_an_ended_run_are_refused,
            of_every_kind_come_as_they_were_posted,
        );
        $crate::store_conformance!(@group $make, query:
            finds_runs_by_either_end_of_their_identity,
            pages_a_journal,
            shows_a_run_as_it_stands,
            shows_when_a_run_started_and_ended,
            shows_whether_the_owner_lives,
            names_the_owner_that_lives,
            shows_only_what_is_committed,
            answers_with_definitions_by_content,
            says_something_else_of_a_run,
            names_the_last_event,
        );
        $crate::store_conformance!(@group $make, list:
            is_youngest_first_in_pages,
            is_filtered_by_state_workflow_and_namespace,
            follows_changes_of_state,
            has_a_limit_of_its_own,
            is_filtered_by_each_condition,
            is_filtered_by_text_in_any_case,
            is_sorted_by_the_end_of_runs,
            is_counted_by_state,
            names_the_namespaces,
            names_the_keys_of_annotations,
            pages_keys_of_annotations,
        );
        $crate::store_conformance!(@group $make, feed:
            is_in_the_order_of_the_commits,
            names_the_matter_of_a_run_where_it_starts,
            pages_follow_one_another_without_a_gap,
            has_every_event_once_while_several_write,
            never_uses_a_position_again,
            leaves_out_what_is_pruned_and_nothing_else,
            masks_secrets,
        );
        $crate::store_conformance!(@group $make, slots:
            are_shared_by_all_owners,
            are_counted_by_each_owners_own_number,
            of_dead_owners_count_no_more,
            are_given_back_by_using_fewer,
            go_to_who_waits_longest,
            are_not_kept_for_who_asks_no_more,
            are_never_given_twice,
        );
        $crate::store_conformance!(@group $make, upkeep:
            prunes_only_ended_runs_that_are_old_enough,
            prunes_at_most_so_many,
            prunes_definitions_that_no_run_uses,
            prunes_only_what_it_is_told_to,
            deletes_one_run,
            deletes_no_run_that_has_not_ended,
            leaves_room_for_what_is_recorded_next,
            prunes_what_nobody_then_can_change,
            leaves_a_run_that_a_living_owner_goes_on_with,
        );
        $crate::store_conformance!(@group $make, secrets:
            are_masked_for_those_who_look,
            are_opened_for_the_engine,
            are_opened_for_another_session,
            are_not_readable_in_what_is_kept,
        );
        $crate::store_conformance!(@group $make, documents:
            come_back_as_they_were_written,
            have_versions_that_never_repeat,
            are_changed_only_as_expected,
            are_changed_in_whole_sets,
            changes_see_those_before_them,
            are_not_lost_between_sessions,
            are_scanned_in_order_and_in_pages,
            are_scanned_with_a_limit,
            have_limits,
            keep_their_secret_sealed,
        );
        $crate::store_conformance!(@group $make, errors:
            name_the_run_that_is_not_there,
            leave_the_store_usable,
        );
    };
    (@group $make:expr, $group:ident: $($behaviour:ident),+ $(,)?) => {
        mod $group {
            use super::*;
            $(
                #[test]
                fn $behaviour() {
                    $crate::conformance::$group::$behaviour(&($make)());
                }
            )+
        }
    };
}

/// Asserts that a call was refused in a certain way.
#[macro_export]
#[doc(hidden)]
macro_rules! assert_refused {
    ($call:expr, $pattern:pat $(if $guard:expr)?) => {
        match $call {
            Err($pattern) $(if $guard)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
