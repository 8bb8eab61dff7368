#include "http/message.h"

namespace armazem::http {

std::string_view to_string(Method method) noexcept {
  constexpr std::array<std::string_view, method_count> names{"GET",  "HEAD",  "PUT",     "DELETE",
                                                             "POST", "PATCH", "OPTIONS", "other"};
  return names[static_cast<std::size_t>(method)];
}

std::string_view to_string(Route route) noexcept {
  constexpr std::array<std::string_view, route_count> names{
      "/store",        "/store/{key}", "/operations/{version}", "/batch",        "/watch", "/health/live",
      "/health/ready", "/metrics",     "/openapi.json",          "/swagger-ui",   "/",      "other"};
  return names[static_cast<std::size_t>(route)];
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace armazem::http
