//! The tests, as players, spectators and operators would notice: one binary, a real Postgres, real sockets, a real
//! browser. Each test has a database of its own and a server on a port of its own; time is moved by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

mod accounts_are_forgotten;
mod accounts_open_the_door;
mod answers_have_their_form;
mod barcodes_find_products;
mod boards_agree;
mod boards_resume_by_number;
mod challenges_are_made;
mod challenges_end;
mod challenges_span_the_world;
mod databases_go_away;
mod demo_tells_the_same_story;
mod diaries_at_a_glance;
mod diaries_change_verdicts_stay;
mod documents_do_not_drift;
mod doors_take_their_own;
mod exports_hold_all;
mod foods_are_found;
mod foods_are_imported;
mod guessing_is_slowed;
mod kakao_may_lie;
mod kakao_opens_the_door;
mod kakao_tells_what_is_over;
mod kills_lose_nothing;
mod letters_carry_codes;
mod mail_goes_out;
mod meals_are_kept;
mod meals_are_made_of_foods;
mod meals_are_refused;
mod meals_count_until_the_log_closes;
mod meals_move_the_board;
mod operators_run_commands;
mod page_comes_back;
mod page_fits_its_reader;
mod page_keeps_the_diary;
mod page_leads_the_way;
mod page_shows_the_game;
mod page_signs_in;
mod photos_are_clean;
mod photos_become_meals;
mod photos_leave_nothing_behind;
mod photos_survive_kills;
mod photos_tell_meals;
mod pictures_of_people;
mod profiles_are_ones_own;
mod random_games_stay_consistent;
mod referee_keeps_the_deadlines;
mod referee_survives_crashes;
mod roles_open_doors;
mod seats_are_taken_once;
mod servers_stop_politely;
mod sessions_can_be_trusted;
mod sessions_end_everywhere;
mod slow_readers_harm_nobody;
mod sockets_have_limits;
mod sockets_speak_the_protocol;
mod spectators_see_no_secrets;
mod tidy;
mod tokens_are_checked;
mod tokens_are_forged;
mod uploads_are_done_once;
mod uploads_survive_bad_clients;
