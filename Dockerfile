# The server alone. At run time it needs a Postgres, LASTBITE_DATABASE_URL; a secret, LASTBITE_TOKEN_KEY; a way for letters,
# LASTBITE_SMTP_URL and LASTBITE_MAIL_FROM; and its address on the outside, LASTBITE_PUBLIC_URL.

FROM rust:1.95-bookworm AS build
WORKDIR /build
ENV SQLX_OFFLINE=true \
    CARGO_PROFILE_RELEASE_DEBUG=false \
    CARGO_PROFILE_RELEASE_STRIP=symbols

# The dependencies, as a layer that only another Cargo.lock or manifest makes anew: with empty sources in place of ours.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
COPY protocol/Cargo.toml protocol/
COPY photo/Cargo.toml photo/
COPY recogniser/Cargo.toml recogniser/
COPY loadtest/Cargo.toml loadtest/
RUN mkdir -p src tests/it benches protocol/src photo/src photo/benches recogniser/src recogniser/benches loadtest/src \
    && touch benches/token_checks.rs photo/benches/cleaning.rs recogniser/benches/classify.rs \
    && touch src/lib.rs protocol/src/lib.rs photo/src/lib.rs recogniser/src/lib.rs \
    && for main in src tests/it loadtest/src; do echo 'fn main() {}' >"$main/main.rs"; done \
    && cargo build --release --locked --package lastbite

COPY .sqlx .sqlx
COPY migrations migrations
COPY photo photo
COPY protocol protocol
COPY recogniser recogniser
COPY src src
COPY web web
# Our sources are older than what was just built from the empty ones; without this, Cargo would keep that.
RUN touch src/lib.rs src/main.rs protocol/src/lib.rs photo/src/lib.rs recogniser/src/lib.rs \
    && cargo build --release --locked --package lastbite

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/lastbite --shell /usr/sbin/nologin lastbite \
    && install --directory --owner=lastbite --group=lastbite --mode=0750 /var/lib/lastbite
COPY --from=build /build/target/release/lastbite /usr/local/bin/lastbite
USER 10001
WORKDIR /var/lib/lastbite
# Photos; what is kept elsewhere needs no volume.
VOLUME /var/lib/lastbite
ENV LASTBITE_LISTEN=0.0.0.0:8080 \
    LASTBITE_DATA_DIR=/var/lib/lastbite \
    LASTBITE_ENVIRONMENT=production
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["lastbite", "health"]
ENTRYPOINT ["lastbite"]
CMD ["serve"]
