// Armazém from Java, with java.net.http alone: java Store.java [http://127.0.0.1:8000]

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

public class Store {
  // HTTP/1.1 at once; the client would first ask for HTTP/2.
  private static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static String base = "http://127.0.0.1:8000";

  static HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(URI.create(base + path)).timeout(Duration.ofSeconds(30));
  }

  static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  static HttpRequest.Builder put(String key, String value) {
    return to("/store/" + encode(key)).header("Content-Type", "text/plain; charset=utf-8").PUT(BodyPublishers.ofString(value));
  }

  // A JSON library does this better; here it only saves a dependency.
  static String members(String json, String name) {
    Matcher matcher = Pattern.compile("\"" + name + "\":\"?([^\",}]+)").matcher(json);
    return matcher.results().map(found -> found.group(1)).collect(Collectors.joining(" "));
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length > 0) base = arguments[0].replaceAll("/$", "");
    String key = "example/java/greeting";

    // A watch that is opened first sees all that follows.
    HttpResponse<Stream<String>> watch =
        client.send(HttpRequest.newBuilder(URI.create(base + "/watch?prefix=" + encode("example/java/"))).build(), BodyHandlers.ofLines());

    HttpResponse<String> put = send(put(key, "Olá"));
    System.out.println("put: " + put.statusCode() + " " + members(put.body(), "key"));

    HttpResponse<String> got = send(to("/store/" + encode(key)).GET());
    System.out.println("get: " + members(got.body(), "value"));

    // Only over the version that was read: nobody else's change is lost.
    String version = got.headers().firstValue("ETag").orElseThrow();
    System.out.println("changed: " + send(put(key, "Bom dia").header("If-Match", version)).statusCode());
    HttpResponse<String> late = send(put(key, "too late").header("If-Match", version));
    System.out.println("too late: " + late.statusCode() + " " + members(late.body(), "type"));

    String operations = Stream.of(0, 1, 2)
        .map(number -> "{\"op\":\"put\",\"key\":\"example/java/" + number + "\",\"value\":{\"number\":" + number + "}}")
        .collect(Collectors.joining(",", "{\"operations\":[", "]}"));
    HttpResponse<String> batch =
        send(to("/batch").header("Content-Type", "application/json").POST(BodyPublishers.ofString(operations)));
    System.out.println("batch: " + members(batch.body(), "status"));

    String after = "";
    while (after != null) {
      String page = send(to("/store?prefix=example/java/&limit=2&keys_only=true" + after).GET()).body();
      System.out.println("page: " + members(page, "key"));
      String next = members(page, "next");
      after = next.isEmpty() ? null : "&after=" + next;
    }

    System.out.println("delete: " + send(to("/store/" + encode(key)).DELETE()).statusCode());

    String kind = "";
    for (Iterator<String> lines = watch.body().iterator(); lines.hasNext() && !kind.equals("told"); ) {
      String line = lines.next();
      if (line.startsWith("event: ")) kind = line.substring(7);
      if (line.startsWith("data: ")) System.out.println("event: " + kind + " " + members(line, "key"));
      if (line.startsWith("data: ") && kind.equals("delete")) kind = "told";
    }
    System.exit(0);  // the watch would go on
  }
}
