# SPDX-License-Identifier: Apache-2.0
#
# Builds on Debian. The image holds the program and the libraries that it needs, and nothing else: no
# shell, no package manager. tests/image/run runs these steps without a container engine.

FROM debian:12-slim AS build
WORKDIR /source
COPY tests/support/packages tests/support/packages
RUN tests/support/packages image
COPY . .
RUN meson setup /build --buildtype=release -Db_lto=true && ninja -C /build capstan
# The program loads libcurl at run time, so ldd does not find it.
RUN mkdir -p /image/usr/bin /image/etc/ssl/certs /image/usr/share/doc/capstan && \
    strip -o /image/usr/bin/capstan /build/capstan && \
    libcurl=$(ldconfig -p | sed -n 's/.*libcurl\.so\.4 .*=> //p' | head -n 1) && \
    test -n "$libcurl" && \
    ldd /build/capstan "$libcurl" >/build/ldd && \
    ! grep 'not found' /build/ldd && \
    echo "$libcurl" >/build/libraries && \
    sed -n 's/^[^/]*\(\/[^ :]*\) (.*/\1/p' /build/ldd >>/build/libraries && \
    while read -r library; do \
        mkdir -p "/image$(dirname "$library")" && cp -L "$library" "/image$library" || exit 1; \
    done </build/libraries && \
    cp LICENSE /image/usr/share/doc/capstan/ && \
    cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ && \
    echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >/image/etc/passwd && \
    echo 'nonroot:x:65532:' >/image/etc/group && \
    echo 'hosts: files dns' >/image/etc/nsswitch.conf

FROM scratch
COPY --from=build /image/ /
USER 65532:65532
ENTRYPOINT ["/usr/bin/capstan"]
CMD ["serve", "--leader-elect"]
