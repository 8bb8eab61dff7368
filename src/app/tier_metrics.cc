#include "app/tier_metrics.h"

#include <string>

#include "app/families.h"
#include "http/exposition.h"

namespace armazem {
namespace {

using http::counter_family;
using http::gauge_family;
using prometheus::MetricFamily;

double number(std::uint64_t value) { return static_cast<double>(value); }

MetricFamily confirm_seconds(const ConfirmHistogram& confirm) {
  MetricFamily family;
  family.name = "armazem_queue_confirm_seconds";
  family.help = "From sending a message to its confirm.";
  family.type = prometheus::MetricType::Histogram;
  prometheus::ClientMetric metric;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < confirm.counts.size(); ++i) {
    cumulative += confirm.counts[i];
    const bool last = i == ConfirmHistogram::bounds_seconds.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : ConfirmHistogram::bounds_seconds[i];
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = confirm.sum_seconds;
  family.metric.push_back(std::move(metric));
  return family;
}

void add_links(const RabbitmqFigures& f, std::vector<MetricFamily>& all) {
  all.push_back(counter_family("armazem_queue_connects_total", "Connections to the broker that came up.", number(f.connects)));
  all.push_back(counter_family("armazem_queue_link_losses_total", "Connections to the broker that were lost.", number(f.link_losses)));
  all.push_back(counter_family("armazem_queue_blocked_total", "Times that the broker blocked us for lack of memory or disk.", number(f.blocked)));
}

}  // namespace

void add_postgres_metrics(const PostgresFigures& f, std::vector<MetricFamily>& all) {
  all.push_back(labelled_counter("armazem_sql_transactions_total", "Transactions of batches.", "result",
                                 {{"committed", f.transactions}, {"unchanged", f.transactions_unchanged}, {"retried", f.retries}}));
  all.push_back(counter_family("armazem_sql_transaction_seconds_total", "Time spent in them.", f.transaction_seconds));
  all.push_back(labelled_counter("armazem_sql_rows_total", "Rows written.", "how",
                                 {{"inserted", f.rows_inserted}, {"updated", f.rows_updated}, {"purged", f.purged}}));
  all.push_back(counter_family("armazem_store_mutations_total", "Mutations decided.", number(f.mutations)));
  all.push_back(labelled_counter("armazem_store_verdicts_total", "Mutations by verdict.", "verdict",
                                 {{"applied", f.by_verdict[0]},
                                  {"condition_failed", f.by_verdict[1]},
                                  {"superseded", f.by_verdict[2]},
                                  {"indeterminate", f.by_verdict[3]},
                                  {"too_old", f.by_verdict[4]},
                                  {"refused", f.by_verdict[5]}}));
  all.push_back(labelled_counter("armazem_store_effects_total", "Freshly applied mutations by effect.", "effect",
                                 {{"created", f.by_effect[0]},
                                  {"replaced", f.by_effect[1]},
                                  {"deleted", f.by_effect[2]},
                                  {"nothing_to_delete", f.by_effect[3]}}));
  all.push_back(counter_family("armazem_store_replayed_total", "Mutations that had been applied before.", number(f.replayed)));
  all.push_back(counter_family("armazem_store_gets_total", "Reads by key.", number(f.gets)));
  all.push_back(counter_family("armazem_store_get_misses_total", "Reads by key that found no record.", number(f.get_misses)));
  all.push_back(counter_family("armazem_sql_get_rounds_total", "Round trips for reads by key.", number(f.get_rounds)));
  all.push_back(counter_family("armazem_sql_get_round_seconds_total", "Time spent in them.", f.get_round_seconds));
  all.push_back(counter_family("armazem_sql_batches_halved_total", "Batches that had to be taken apart.", number(f.batches_halved)));
  all.push_back(counter_family("armazem_sql_commits_ambiguous_total", "Commits whose answer was lost.", number(f.commits_ambiguous)));
  std::vector<LabelledValue> failures;
  failures.reserve(f.failures.size());
  for (std::size_t i = 0; i < f.failures.size(); ++i) failures.push_back({PostgresFigures::meaning_name(i), f.failures[i]});
  all.push_back(labelled_counter("armazem_sql_failures_total", "Statements that failed, by what the SQLSTATE means.", "meaning", failures));
  all.push_back(counter_family("armazem_sql_refused_total", "Calls refused because too many waited for a connection.", number(f.refused_overloaded)));
  all.push_back(counter_family("armazem_sql_timed_out_total", "Calls that ended by their deadline.", number(f.timed_out)));
  all.push_back(labelled_counter("armazem_sql_connects_total", "Connections begun.", "result",
                                 {{"connected", f.connects}, {"failed", f.connect_failures}}));
  all.push_back(gauge_family("armazem_sql_connections", "Connections that stand.", number(f.connections_open)));
  all.push_back(gauge_family("armazem_sql_writes_waiting", "Batches waiting for a connection.", number(f.writes_waiting)));
  all.push_back(gauge_family("armazem_sql_reads_waiting", "Reads waiting for a round trip.", number(f.reads_waiting)));
}

void add_redis_metrics(const RedisFigures& f, std::vector<MetricFamily>& all) {
  all.push_back(labelled_counter("armazem_redis_gets_total", "Lookups by what was found.", "result",
                                 {{"value", f.hits_value},
                                  {"negative", f.hits_negative},
                                  {"miss", f.misses - f.misses_other_epoch - f.misses_damaged},
                                  {"other-epoch", f.misses_other_epoch},
                                  {"damaged", f.misses_damaged}}));
  all.push_back(labelled_counter("armazem_redis_leases_total", "Leases asked for after a miss.", "result",
                                 {{"granted", f.leases_granted}, {"held", f.leases_held}}));
  all.push_back(labelled_counter("armazem_redis_fills_total", "Fills after a read of the store.", "result",
                                 {{"stored", f.fills_stored}, {"refused", f.fills_refused}}));
  all.push_back(labelled_counter("armazem_redis_puts_total", "Puts after a write.", "result",
                                 {{"stored", f.puts_stored}, {"older", f.puts_older}, {"removed", f.removed}, {"too-large", f.too_large}}));
  all.push_back(labelled_counter("armazem_redis_redirects_total", "Answers that sent a command elsewhere.", "kind",
                                 {{"moved", f.moved}, {"ask", f.ask}, {"tryagain", f.try_again}, {"noscript", f.no_script}}));
  all.push_back(labelled_counter("armazem_redis_failures_total", "Commands that failed.", "kind",
                                 {{"refused-by-node", f.refused_by_node},
                                  {"timeout", f.timeouts},
                                  {"protocol", f.protocol_errors},
                                  {"overloaded", f.overloaded},
                                  {"at-once", f.failed_at_once}}));
  all.push_back(labelled_counter("armazem_redis_connects_total", "Connections begun.", "result",
                                 {{"connected", f.connects}, {"failed", f.connects_failed}}));
  all.push_back(counter_family("armazem_redis_breaker_openings_total", "Times that a node was left alone.", number(f.breaker_openings)));
  all.push_back(gauge_family("armazem_redis_breakers_open", "Nodes left alone now, over all loops.", number(f.breakers_open)));
  all.push_back(labelled_counter("armazem_redis_refreshes_total", "Views of the cluster asked for.", "result",
                                 {{"done", f.refreshes}, {"failed", f.refreshes_failed}}));
  all.push_back(counter_family("armazem_redis_views_total", "Views that differed from the one before.", number(f.views)));
  all.push_back(counter_family("armazem_redis_commands_total", "Commands that ended.", number(f.calls)));
  all.push_back(counter_family("armazem_redis_command_seconds_total", "How long they took together.", number(f.call_us) * 1e-6));
  all.push_back(gauge_family("armazem_redis_connections", "Connections that stand.", number(f.connections)));
}

void add_publisher_metrics(const RabbitmqFigures& f, std::vector<MetricFamily>& all) {
  all.push_back(labelled_counter("armazem_queue_publishes_total", "Messages by what became of them.", "result",
                                 {{"confirmed", f.confirmed},
                                  {"nacked", f.nacked},
                                  {"returned", f.returned},
                                  {"unknown", f.unknown},
                                  {"refused", f.refused}}));
  all.push_back(confirm_seconds(f.confirm));
  all.push_back(counter_family("armazem_queue_reply_messages_total", "Reply messages received.", number(f.replies_received)));
  add_links(f, all);
}

void add_consumer_metrics(const RabbitmqFigures& f, std::vector<MetricFamily>& all) {
  all.push_back(labelled_counter("armazem_queue_deliveries_total", "Messages delivered.", "kind",
                                 {{"first", f.deliveries - f.redelivered}, {"redelivered", f.redelivered}, {"undecodable", f.undecodable}}));
  all.push_back(counter_family("armazem_queue_acknowledged_total", "Messages acknowledged.", number(f.acknowledged)));
  all.push_back(labelled_counter("armazem_queue_reply_messages_total", "Reply messages.", "result",
                                 {{"sent", f.replies_sent}, {"dropped", f.replies_dropped}}));
  all.push_back(counter_family("armazem_queue_set_aside_total", "Mutations and messages put into the dead letters.", number(f.set_aside)));
  all.push_back(gauge_family("armazem_queue_dead_letters", "Dead letters that wait for a decision, as last seen.", number(f.dead_letters)));
  add_links(f, all);
}

}  // namespace armazem
