# syntax=docker/dockerfile:1
# The image of mizzen on an empty base: a static binary, root certificates, a
# user. `make image` builds the same without Docker; both take the files from
# `mizzen image`.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETPLATFORM=linux/amd64
ARG VERSION=devel
RUN CGO_ENABLED=0 GOOS="${TARGETPLATFORM%%/*}" GOARCH="$(echo "$TARGETPLATFORM" | cut -d/ -f2)" \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X mizzen.dev/internal/version.version=$VERSION" -o /bin/target/mizzen ./cmd/mizzen && \
    go run ./cmd/mizzen image --binary /bin/target/mizzen --rootfs /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 10001:10001
WORKDIR /
EXPOSE 5000 9000
ENTRYPOINT ["/mizzen"]
CMD ["serve"]
ARG VERSION=devel
LABEL org.opencontainers.image.title="mizzen" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.licenses="Apache-2.0"
