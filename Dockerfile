# The build steps are also run without a container engine by "npm run docker:steps", which understands
# FROM, WORKDIR, COPY, RUN and ENV; keep to relative paths in COPY targets and RUN.

FROM node:26-slim AS build
WORKDIR /build
COPY .npmrc package.json package-lock.json ./
COPY patches ./patches
COPY scripts/link-command.mjs ./scripts/
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY workers ./workers
RUN npm run build

FROM node:26-slim AS packages
WORKDIR /packages
COPY .npmrc package.json package-lock.json ./
COPY patches ./patches
COPY scripts/link-command.mjs ./scripts/
RUN npm ci --omit=dev

FROM node:26-slim
ENV NODE_ENV=production
ENV LOG_OUTPUT_DIR=/app/logs
# Inside a container the loopback interface is reachable by nobody; publish the port where it may be seen.
ENV LOG_CONSUMER_OPS_HOST=0.0.0.0
WORKDIR /app
# Writable for whatever user the container is started with; a new volume takes these permissions over.
RUN mkdir -m 1777 logs
COPY package.json ./
COPY bin ./bin
COPY --from=packages /packages/node_modules ./node_modules
COPY --from=build /build/dist ./dist
USER node
VOLUME /app/logs
# Metrics and health.
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT ?? 9464}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm in between, so that the service is process 1 and gets SIGTERM itself.
ENTRYPOINT ["node", "bin/log-consumer.mjs"]
CMD ["run"]
