//! Lastbite: the real-time server of a diet survival game.
//!
//! Features write the journal, rooms read the journal, and they never call each other. The map, in the order of imports:
//!
//! - Bedrock, pure: [`rules`] decides what happens in play, [`nutrition`] what eating means
//! - Ground: [`config`], [`limits`], [`clock`], [`db`], [`error`], [`bus`], [`media`], [`mail`], [`jobs`], [`telemetry`],
//!   [`idempotency`], `outside` (calls to others), `photos`, [`vision`] (who looks at photos),
//!   [`body`] (what a request carries), [`auth`] (who is calling)
//! - The waist: [`journal`], numbered events and the standings that follow from them
//! - Features: [`accounts`], [`challenges`] (with the referee), [`meals`]
//! - [`rooms`]: live boards and the sockets that watch them
//! - [`web`]: the router, the accept loop and the pages
//! - [`demo`]: a challenge that plays itself
//!
//! ARCHITECTURE.md in the repository has the walkthroughs.

pub mod accounts;
pub mod auth;
pub mod body;
pub mod bus;
pub mod challenges;
pub mod clock;
pub mod config;
pub mod db;
pub mod demo;
pub mod error;
pub mod foods;
pub mod idempotency;
pub mod jobs;
pub mod journal;
pub mod limits;
pub mod mail;
pub mod meals;
pub mod media;
pub mod nutrition;
mod outside;
mod photos;
pub mod rooms;
pub mod rules;
pub mod telemetry;
pub mod vision;
pub mod web;

mod app;

pub use app::{App, Parts, serve};
