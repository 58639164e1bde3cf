# The image of the gateway:
#   docker build -t sipgw .
#   docker run --network host -v sipgw:/var/lib/sipgw sipgw
# The host's network spares each RTP packet an address translation and publishes the media ports,
# too many to name one by one. Settings: mount /etc/sipgw/gateway.toml, or set SIPGW_… variables.

FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY sip sip
COPY media media
COPY rating rating
COPY config config
COPY certs certs
COPY store store
COPY manager manager
COPY gateway gateway
RUN pip wheel --quiet --no-deps --wheel-dir /dist .

FROM python:3.11-slim
RUN groupadd --gid 5060 sipgw \
 && useradd --uid 5060 --gid sipgw --home-dir /var/lib/sipgw --create-home \
    --shell /usr/sbin/nologin sipgw
COPY requirements.txt /tmp/requirements.txt
RUN pip install --quiet --no-cache-dir --root-user-action=ignore -r /tmp/requirements.txt
COPY --from=build /dist /tmp/dist
RUN pip install --quiet --no-cache-dir --root-user-action=ignore --no-deps /tmp/dist/*.whl \
 && rm -r /tmp/dist /tmp/requirements.txt
COPY config/gateway.toml /etc/sipgw/gateway.toml

ENV PYTHONUNBUFFERED=1 \
    SIPGW_CONFIG=/etc/sipgw/gateway.toml \
    SIPGW_PATHS__VAR=/var/lib/sipgw \
    SIPGW_HTTP__BIND=0.0.0.0:8080 \
    SIPGW_LOG__FORMAT=json

USER sipgw
WORKDIR /var/lib/sipgw
VOLUME /var/lib/sipgw
EXPOSE 5060/udp 5060/tcp 5061/tcp 8080/tcp 16384-32767/udp
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["sipgw", "serve"]
