//! The 64 cases in which a file cache like this one was put to the test, one law for each.
//!
//! | case | the law, and what was decided where there was a choice |
//! |---|---|
//! | 1 | `entries::a_cache_is_made_with_all_above_it_by_what_is_first_put_there`: opening makes nothing |
//! | 2 | `entries::a_file_in_the_place_of_the_cache_is_a_typed_error` |
//! | 3 | `entries::an_empty_cache_has_no_keys` |
//! | 4 | `entries::an_entry_may_hold_nothing` |
//! | 5 | `entries::what_is_added_comes_back_byte_by_byte` |
//! | 6 | `entries::contents_keep_their_order_however_many` |
//! | 7 | `revival::an_unbound_key_revives_nothing_and_makes_no_directory` |
//! | 8 | `revival::another_number_of_destinations_is_a_miss_and_touches_nothing` |
//! | 9 | `revival::no_destination_is_a_wrong_number_too` |
//! | 10 | `entries::a_missing_source_binds_nothing` |
//! | 11 | `entries::a_missing_source_leaves_the_older_binding`: it stays, whatever the addition fails of |
//! | 12 | `entries::adding_again_replaces_the_binding_entirely` |
//! | 13 | `entries::a_dangling_link_is_a_missing_source` |
//! | 14 | `entries::a_link_to_a_file_is_added_as_that_file` |
//! | 15 | `entries::a_directory_is_no_content_and_binds_nothing`: an error |
//! | 16 | `entries::a_source_below_a_file_is_missing_and_binds_nothing`: it is missing, no error |
//! | 17 | `entries::permissions_are_kept_and_rights_of_others_are_not`: no setuid, setgid or sticky bit; the umask takes nothing from a content |
//! | 18 | `revival::a_read_only_destination_is_replaced` |
//! | 19 | `revival::a_link_is_replaced_and_its_target_is_not_touched` |
//! | 20 | `revival::a_directory_as_destination_is_an_error_at_once` |
//! | 21 | `revival::a_directory_that_may_not_be_written_is_an_error_at_once` |
//! | 22 | `revival::missing_directories_are_made_as_the_umask_has_it` |
//! | 23 | `revival::a_file_above_a_destination_is_a_typed_error_at_once` |
//! | 24 | `revival::of_two_contents_for_one_destination_the_later_is_there`: the later wins |
//! | 25 | `keys::a_key_tells_how_much_it_holds_and_an_unbound_one_tells_nothing`: headers and index records count; unbound is `None` |
//! | 26 | `keys::unbinding_tells_whether_it_was_bound` |
//! | 27 | `keys::unbinding_succeeds_whatever_lies_in_the_place_of_the_entry`: it goes into quarantine |
//! | 28 | `manifests::a_manifest_is_revived_under_another_root_in_order` |
//! | 29 | `manifests::a_manifest_is_revived_at_any_destinations_too` |
//! | 30 | `manifests::a_plain_or_unbound_key_is_no_manifest` |
//! | 31 | `manifests::a_file_outside_of_the_root_is_refused_and_the_older_binding_stays` |
//! | 32 | `manifests::the_root_itself_is_not_below_itself` |
//! | 33 | `manifests::a_manifest_may_name_nothing` |
//! | 34 | `manifests::any_name_that_a_file_can_have_comes_back` |
//! | 35 | `manifests::no_manifest_leads_out_of_its_root`: a crafted one is damage, hence a miss |
//! | 36 | `manifests::a_plain_addition_over_a_manifest_leaves_none` |
//! | 37 | `keys::names_that_are_no_path_segment_are_refused`: and longer ones than 200 bytes, and control characters |
//! | 38 | `damage::an_entry_that_lost_its_metadata_is_a_miss`: and in quarantine, as in the next two |
//! | 39 | `damage::no_content_that_was_truncated_or_flipped_is_revived` |
//! | 40 | `damage::an_entry_that_lost_a_content_in_the_middle_is_a_miss` |
//! | 41 | `trimming::what_is_not_of_the_cache_stops_no_trim_and_stays` |
//! | 42 | `trimming::the_oldest_go_until_the_smaller_budget_is_met`: sizes in entries, which have headers |
//! | 43 | `trimming::what_is_unused_goes_before_what_is_old` |
//! | 44 | `trimming::what_is_unused_stays_within_the_budget` |
//! | 45 | `trimming::of_equal_age_the_larger_goes_first` |
//! | 46 | `trimming::an_empty_entry_has_a_size_too_and_goes_at_zero`: it goes |
//! | 47 | `trimming::a_plan_lists_exactly_what_a_trim_lets_go` |
//! | 48 | `trimming::the_last_use_counts_and_not_the_first` |
//! | 49 | `keys::a_cache_that_vanished_is_empty_and_is_made_again_by_what_is_added`: made again; an error where it cannot be |
//! | 50 | `operations::an_outcome_comes_back_field_by_field`: one whose output is not all known is never recorded |
//! | 51 | `damage::an_entry_with_damaged_metadata_is_a_miss`, `operations::an_entry_whose_metadata_is_no_outcome_is_a_miss` |
//! | 52 | `operations::another_accepted_exit_is_another_key` |
//! | 53 | `operations::no_two_operations_have_one_key_and_paths_of_outputs_do_not_count`: how many writes there are does count |
//! | 54 | `operations::a_missing_read_is_a_typed_error_that_names_it`: all that are missing, sorted |
//! | 55 | `operations::what_is_never_cached_has_no_key_and_stores_nothing`: told as a reason |
//! | 56 | `operations::neither_a_failure_nor_an_unfinished_success_is_recorded`: told as reasons; an older binding stays |
//! | 57 | `operations::a_command_without_writes_is_cached_with_what_it_says` |
//! | 58 | `operations::the_directories_above_redirected_output_are_made` |
//! | 59 | `operations::missing_reads_and_missing_writes_fail_with_sorted_lists` |
//! | 60 | `company::two_writers_and_a_reader_of_one_key_never_disagree` |
//! | 61 | `company::a_killed_writer_leaves_each_key_old_or_new` |
//! | 62 | `operations::what_was_read_before_an_edit_is_not_recorded` |
//! | 63 | `operations::a_process_that_lives_long_sees_every_edit` |
//! | 64 | `command::without_a_cache_the_command_says_so_and_exits_with_1`, `command::an_unknown_key_is_named_and_makes_the_exit_status_1`: an error, no warning; `command::a_trim_without_options_leaves_half_of_it`: or the configured size, if that is less; `command::keys_are_listed_by_their_last_use`: no build logs, but an age; `command::stats_are_a_table_without_colours`; `command::a_cache_that_was_emptied_is_there_and_works` |
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test it is the assertion")]

mod cache;
mod command;
mod company;
mod damage;
mod entries;
mod keys;
mod manifests;
mod operations;
mod process;
mod revival;
mod table;
mod trimming;
