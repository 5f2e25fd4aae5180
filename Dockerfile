# syntax=docker/dockerfile:1

# The server as one static binary, for the architecture of the machine that builds: x86_64 or aarch64.
# `.ci/run container` runs the build command below as it stands here.
FROM rust:1.95-slim-bookworm AS build
# A C compiler for musl: the cryptography library is C and assembler. Its version is Debian's business.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin sequentum-mcp --target "$(uname -m)-unknown-linux-musl" \
    && install -D "target/$(uname -m)-unknown-linux-musl/release/sequentum-mcp" /out/sequentum-mcp

# Root certificates and a user, no shell and no package manager.
FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=unreleased
LABEL org.opencontainers.image.title="sequentum-mcp" \
    org.opencontainers.image.description="MCP server for the Sequentum web-scraping platform" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.base.name="gcr.io/distroless/static-debian12:nonroot"
COPY --from=build /out/sequentum-mcp /sequentum-mcp
# Within a container loopback is nobody's address. PUBLIC_URL has to be set for `serve`.
ENV HOST=0.0.0.0 \
    PORT=3000 \
    LOG_FORMAT=json
EXPOSE 3000
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 CMD ["/sequentum-mcp", "healthcheck"]
ENTRYPOINT ["/sequentum-mcp"]
CMD ["serve"]
