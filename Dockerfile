# All programs in one image; the chart names the one to run. Build from the root of the repository.
FROM debian:trixie-slim AS build
WORKDIR /src
COPY scripts/setup scripts/setup
RUN scripts/setup build
COPY . .
# What ships is optimised by the counts of a run of the benchmarks' scenarios (scripts/profiled); --build-arg PROFILED=no
# halves the time of a build that is not to ship.
ARG PROFILED=yes
# The packages that the programs need at run time are those that own the libraries they are linked with.
RUN if [ "$PROFILED" = yes ]; then scripts/profiled /build; else \
      cmake --preset release -B /build -DHEADGATE_TESTS=OFF \
      && cmake --build /build --target headgate-controller headgate-dataplane headgate; \
    fi \
 && mkdir -p /out/bin \
 && for program in headgate-controller headgate-dataplane headgate; do \
      strip -o "/out/bin/$program" "/build/bin/$program"; \
    done \
 && ln -s headgate /out/bin/kubectl-headgate \
 && ldd /out/bin/* | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | sort -u | xargs readlink -f | xargs dpkg -S \
      | cut -d: -f1 | sort -u > /out/packages

FROM debian:trixie-slim
LABEL org.opencontainers.image.title="Headgate" \
      org.opencontainers.image.description="Ingress controller and L7 proxy for Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /out/packages /tmp/packages
RUN apt-get -qq update \
 && xargs apt-get -qq install -y --no-install-recommends ca-certificates < /tmp/packages \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && install -d -o 65532 -g 65532 -m 0700 /var/lib/headgate
COPY --from=build /out/bin/ /usr/bin/
COPY LICENSE /usr/share/doc/headgate/LICENSE
USER 65532:65532
EXPOSE 8080 8443 10254
CMD ["headgate-dataplane", "--help"]
