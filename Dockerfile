# syntax=docker/dockerfile:1

# The server as one static binary, for the architecture of the machine that builds: x86_64 or aarch64.
# `.ci/run container` runs the build command below as it stands here.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src src
# The C library is linked in, glibc and not musl: its memory functions save a fifth of the CPU per call.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo rustc --release --locked --bin sequentum-mcp -- --codegen target-feature=+crt-static \
    && install -D target/release/sequentum-mcp /out/sequentum-mcp

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
# The last keeps kernels from giving huge pages to a process that did not ask for them: 8 MB, and no faster.
ENV HOST=0.0.0.0 \
    PORT=3000 \
    LOG_FORMAT=json \
    MIMALLOC_ALLOW_THP=0
EXPOSE 3000
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 CMD ["/sequentum-mcp", "healthcheck"]
ENTRYPOINT ["/sequentum-mcp"]
CMD ["serve"]
