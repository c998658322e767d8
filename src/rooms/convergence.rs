//! Whatever happens on the way, everybody ends with the same board.
//!
//! A challenge is played at random and committed to a journal. Two nodes follow it through a bus that loses, doubles and
//! reorders; their rooms tick when they like, remember little, and are closed and opened anew. Clients read from one or
//! the other, are cut off in the middle of a delivery, and come back with the number they have. In the end each board is
//! the one that a replay of the journal gives, and each client shows that board and has seen every event once, in order.
//!
//! - [`story`]: the challenge and its journal
//! - [`node`]: a room's projection, and what a socket does with it; the tasks and the waiting are left out
//! - [`client`]: who reads

use lastbite_protocol::{SortKey, UserId};
use proptest::prelude::*;

use super::projection::Bounds;
use crate::rules::{Numbered, ranking};

mod client;
mod node;
mod story;

use client::{Client, Connection};
use node::Node;
use story::{Move, Story, id};

const PLAYERS: u8 = 9;
const NODES: usize = 2;
const CLIENTS: usize = 3;

/// What happens next, anywhere.
#[derive(Clone, Copy, Debug)]
enum Act {
    Play(Move),
    /// A batch arrives at a node, in any order; it may come again.
    Arrive {
        node: usize,
        which: usize,
        again: bool,
    },
    Lose {
        node: usize,
        which: usize,
    },
    /// The room compares its number with the journal's.
    CatchUp {
        node: usize,
    },
    Tick {
        node: usize,
    },
    /// The room was empty for a while, or its node began anew.
    Reopen {
        node: usize,
    },
    /// A client is served. It may get the first of the messages only, and is cut off then.
    Serve {
        client: usize,
        arrive: Option<usize>,
        journal_answers: usize,
    },
    /// A client goes, and comes back somewhere.
    Return {
        client: usize,
        node: usize,
    },
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        5 => (0..PLAYERS).prop_map(Move::Join),
        1 => (0..PLAYERS).prop_map(Move::Leave),
        6 => (0..PLAYERS, 0_u32..4).prop_map(|(player, points)| Move::Eat(player, points * 20)),
        2 => (1_usize..6, any::<u16>()).prop_map(|(players, kept)| Move::Judge { players, kept }),
    ]
}

fn an_act() -> impl Strategy<Value = Act> {
    let arrive = prop_oneof![3 => Just(None), 1 => (0_usize..3).prop_map(Some)];
    prop_oneof![
        12 => a_move().prop_map(Act::Play),
        8 => (0..NODES, 0_usize..3, prop::bool::weighted(0.2))
            .prop_map(|(node, which, again)| Act::Arrive { node, which, again }),
        1 => (0..NODES, 0_usize..3).prop_map(|(node, which)| Act::Lose { node, which }),
        1 => (0..NODES).prop_map(|node| Act::CatchUp { node }),
        6 => (0..NODES).prop_map(|node| Act::Tick { node }),
        1 => (0..NODES).prop_map(|node| Act::Reopen { node }),
        6 => (0..CLIENTS, arrive, 0_usize..4)
            .prop_map(|(client, arrive, journal_answers)| Act::Serve { client, arrive, journal_answers }),
        1 => (0..CLIENTS, 0..NODES).prop_map(|(client, node)| Act::Return { client, node }),
    ]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    (3_usize..=5, 1_usize..=4, 500_usize..8_000, 0_usize..12).prop_map(|(window_rows, frames, bytes, events)| Bounds {
        window_rows,
        frames,
        bytes,
        events,
    })
}

struct World {
    story: Story,
    bounds: Bounds,
    nodes: Vec<Node>,
    clients: Vec<Client>,
}

impl World {
    fn new(bounds: Bounds) -> Self {
        let story = Story::new();
        let nodes = (0..NODES).map(|_| Node::open(&story, bounds)).collect();
        let clients = (0..CLIENTS).map(|_| Client::default()).collect();
        Self { story, bounds, nodes, clients }
    }

    fn does(&mut self, act: Act) {
        match act {
            Act::Play(what) => {
                let batch = self.story.commits(what);
                if !batch.is_empty() {
                    self.nodes.iter_mut().for_each(|node| node.flying.push(batch.clone()));
                }
            }
            Act::Arrive { node, which, again } => {
                let Some(batch) = self.take_off(node, which) else { return };
                self.nodes[node].hears(&batch, &self.story);
                if again {
                    self.nodes[node].flying.push(batch);
                }
            }
            Act::Lose { node, which } => {
                self.take_off(node, which);
            }
            Act::CatchUp { node } => self.nodes[node].catches_up(&self.story),
            Act::Tick { node } => self.nodes[node].ticks(),
            Act::Reopen { node } => {
                self.nodes[node] = Node::open(&self.story, self.bounds);
                self.clients.iter_mut().for_each(|client| {
                    client.connection.take_if(|connection| connection.node == node);
                });
            }
            Act::Serve { client, arrive, journal_answers } => self.serves(client, arrive, journal_answers),
            Act::Return { client, node } => {
                let cursor = self.clients[client].n;
                self.clients[client].connection = Some(Connection { node, cursor });
            }
        }
    }

    fn take_off(&mut self, node: usize, which: usize) -> Option<Vec<Numbered>> {
        let flying = &mut self.nodes[node].flying;
        (!flying.is_empty()).then(|| flying.remove(which % flying.len()))
    }

    fn serves(&mut self, client: usize, arrive: Option<usize>, journal_answers: usize) {
        let client = &mut self.clients[client];
        let Some(connection) = &mut client.connection else { return };
        let node = &mut self.nodes[connection.node];
        let mut sent = node.deliver(&mut connection.cursor, &self.story, journal_answers);
        if let Some(arrive) = arrive {
            sent.truncate(arrive);
            client.connection = None;
        }
        sent.into_iter().for_each(|message| client.takes(message, self.bounds.window_rows));
    }

    /// Luck turns: every room hears of everything, and every client is served to the end.
    fn settles(&mut self) {
        for node in &mut self.nodes {
            node.catches_up(&self.story);
            node.ticks();
        }
        for client in 0..self.clients.len() {
            if self.clients[client].connection.is_none() {
                self.does(Act::Return { client, node: client % NODES });
            }
            self.serves(client, None, usize::MAX);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_boards_and_all_clients_come_to_the_same(
        bounds in bounds(),
        acts in prop::collection::vec(an_act(), 0..250),
    ) {
        let mut world = World::new(bounds);
        acts.into_iter().for_each(|act| world.does(act));
        world.settles();
        let (replayed, events) = world.story.replayed(bounds.window_rows);
        let (picture, counts) = replayed.picture(true);
        for node in &world.nodes {
            prop_assert_eq!(node.board().n(), replayed.n());
            prop_assert_eq!(node.board().picture(true), (picture.clone(), counts));
            prop_assert!(node.board().standings().eq(replayed.standings()));
        }
        let ranks: Vec<_> = picture.rows.iter().map(|row| replayed.place(row.player, 0).unwrap().rank).collect();
        for client in &world.clients {
            prop_assert_eq!(client.n, Some(replayed.n()));
            prop_assert_eq!(&client.rows, &picture.rows);
            prop_assert_eq!(client.ranks(), ranks.clone());
            prop_assert_eq!(client.counts, counts);
            let missed: Vec<_> = events.iter().filter(|event| event.n > client.since).cloned().collect();
            prop_assert_eq!(&client.events, &missed);
        }
    }

    #[test]
    fn a_place_is_the_one_of_a_sorted_list(
        moves in prop::collection::vec(a_move(), 0..120),
        each_side in 0_usize..4,
    ) {
        let mut story = Story::new();
        for what in moves {
            story.commits(what);
        }
        let (board, _) = story.replayed(3);
        let mut sorted: Vec<(SortKey, UserId)> =
            story.standings.iter().map(|(id, (_, standing))| (ranking::key(standing), *id)).collect();
        sorted.sort_unstable();
        let rank_of = |key: SortKey| u32::try_from(sorted.iter().filter(|other| other.0 < key).count() + 1).unwrap();
        for (position, (key, player)) in sorted.iter().enumerate() {
            let place = board.place(*player, each_side).unwrap();
            prop_assert_eq!(place.n, board.n());
            prop_assert_eq!(place.rank, rank_of(*key));
            prop_assert_eq!(&place.standing, &story.standings[player].1);
            let near = &sorted[position.saturating_sub(each_side)..(position + each_side + 1).min(sorted.len())];
            let around: Vec<_> = place.around.iter().map(|around| (around.row.key, around.row.player)).collect();
            prop_assert_eq!(&around, near);
            prop_assert!(place.around.iter().all(|around| around.rank == rank_of(around.row.key)));
        }
        prop_assert_eq!(board.place(id(PLAYERS), each_side), None);
    }
}
