# The executable with its migrations, and nothing else. The embedded Postgres of `demo` is not in it.
FROM oven/bun:1.4.5 AS build
WORKDIR /limen
COPY package.json bun.lock bunfig.toml ./
COPY patches patches
RUN bun install --frozen-lockfile --production --omit=optional --ignore-scripts
COPY drizzle drizzle
COPY src src
RUN bun build --compile --bytecode --format=esm --asset drizzle --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
      --outfile /limen/limen src/main.ts

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /limen/limen /usr/local/bin/limen
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/limen"]
CMD ["serve"]
