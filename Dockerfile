# The one program, for compose.yaml and the like.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package casebook && cp target/release/casebook /usr/local/bin/casebook

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/casebook --create-home casebook
COPY --from=build /usr/local/bin/casebook /usr/local/bin/casebook
USER casebook
ENV CASEBOOK_DATA_DIR=/var/lib/casebook CASEBOOK_LOG_FORMAT=json
VOLUME /var/lib/casebook
ENTRYPOINT ["casebook"]
