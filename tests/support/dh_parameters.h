// Diffie-Hellman parameters, for tests.
#pragma once

#include <string_view>

namespace headgate::testing {

// ffdhe2048 (RFC 7919).
inline constexpr std::string_view kDhParameters =
    "-----BEGIN DH PARAMETERS-----\n"
    "MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
    "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
    "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
    "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
    "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
    "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n"
    "-----END DH PARAMETERS-----\n";

// Of 2048 bits, with a subgroup (X9.42), as `openssl dhparam -dsaparam` makes them.
inline constexpr std::string_view kSubgroupDhParameters =
    "-----BEGIN X9.42 DH PARAMETERS-----\n"
    "MIICKAKCAQEA1GQlrBgO6uV7b+ewpX1NZ8K3eSRs/YKIhNki4RF14oJok28S2Kpl\n"
    "5HFv35dObu0zIsHYH932jz7uStNQYPKG2qv9Qz0oO7ylt7qReihYM78b4mev1GZA\n"
    "SES75GCoD1bhcPukMTq6FMv6oFbjrobnEFbDyh+r+rLpKiTvNEGPUXD0TXme4rI5\n"
    "P5qkm7blogf2VvWQVG2/9I89jV6RDbz3J+Qr+Wbm1PdP6xYkHIXJeIqo+pO9eZSj\n"
    "Ve84mDnwl4OloslB/yPAKmRUpVsJlC637Fw4Geu6tdBzquqiaEYv7r2yF5OFOpoL\n"
    "gfnEHUY2TLnlvSY2IOq7P5BpiNe9YNnBswKCAQBZWyRivz2qVrgzU0UL7h2kKS45\n"
    "Vhe+ada2JLMDXR19HV6sw/mBqNZrp2k4miSLh6aDpGFttaUebZwVRiBUb4qwK39v\n"
    "0raa6g3jqMaChOGRaquWkV708URLTd6llM9MGeIj0Y5vFfR6WC/W1obpMGDL/peg\n"
    "4X530kKkjeMvJkpVkhodLa7ua9l1X/lPmRATqYJ89b5Smp8QSEp84+dq//08J279\n"
    "RJwxWEmmLbFOIJ4Uqy4GEN+Wof83ct8EHXeBkhGG3sjGoIRZBKDLrKrLJCaGhpHY\n"
    "6r+XnOkcBBT7x5SPmo2FZou26w1ji37ZSF8b4X9A0Uw+c+VC6I6bIUPQh5kyAh0A\n"
    "mtuSpPLL6eRgcBTgI5CP6qGvwa9crJCgoc4Fzw==\n"
    "-----END X9.42 DH PARAMETERS-----\n";

// A prime of 1024 bits.
inline constexpr std::string_view kWeakDhParameters =
    "-----BEGIN DH PARAMETERS-----\n"
    "MIGHAoGBAPIYd/iD96/KHwZm017hxafZ8pASfDfYOvuhqlVKptzajgm+PwHEVRR5\n"
    "iQUsu5YTtJqnQuKJw7EMqEYzLF/8BFiKehpuZfP+dmR5UWhM/AjZhfKbRILuMLM6\n"
    "IcVYv3I4XebeNRn+Ntz/U3X39GJDAySJolZyGJ0AijqSPpnwAe/XAgEC\n"
    "-----END DH PARAMETERS-----\n";

}  // namespace headgate::testing
