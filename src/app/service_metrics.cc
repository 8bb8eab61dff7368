#include "app/service_metrics.h"

#include "app/families.h"
#include "http/exposition.h"

namespace armazem {
namespace {

using http::counter_family;
using http::gauge_family;

double number(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace

void add_batcher_metrics(const Batcher::Figures& f, Families& all) {
  all.push_back(counter_family("armazem_batcher_batches_total", "Batches handed to the store.", number(f.batches)));
  all.push_back(counter_family("armazem_batcher_mutations_total", "Mutations handed to the store.", number(f.mutations)));
  all.push_back(counter_family("armazem_batcher_refused_total", "Writes refused because too many were waiting.", number(f.refused)));
  all.push_back(gauge_family("armazem_batcher_pending", "Writes waiting for a batch.", number(f.pending)));
}

void add_clock_metrics(double lead_seconds, Families& all) {
  all.push_back(gauge_family("armazem_clock_skew_seconds", "How far the hybrid clock leads the wall clock.", lead_seconds));
}

void add_purge_metrics(std::uint64_t removed, Families& all) {
  all.push_back(counter_family("armazem_purged_total", "Old tombstones and expired records removed.", number(removed)));
}

void add_watch_metrics(const ChangeHub::Figures& f, Families& all) {
  all.push_back(gauge_family("armazem_watchers", "Watches that are open.", number(f.watchers)));
  all.push_back(counter_family("armazem_watch_changes_total", "Changes read from the store's log for all watchers together.", number(f.changes)));
  all.push_back(counter_family("armazem_watch_events_total", "Events given to watchers.", number(f.told)));
  all.push_back(counter_family("armazem_watch_behind_total", "Reads of the log for one watcher that was behind.", number(f.behind)));
  all.push_back(counter_family("armazem_watch_resets_total", "Watchers told that changes were lost.", number(f.lost)));
  all.push_back(counter_family("armazem_watch_failures_total", "Reads of the log that failed; they are tried again.", number(f.failures)));
}

void add_reader_metrics(const Reader::Figures& f, std::uint64_t cache_failures, Families& all) {
  all.push_back(labelled_counter("armazem_cache_lookups_total", "Reads that asked the cache, by what it said.", "result",
                                 {{"hit", f.hits},
                                  {"negative-hit", f.negative_hits},
                                  {"miss", f.misses},
                                  {"too-old-for-session", f.too_old},
                                  {"error", f.cache_errors}}));
  all.push_back(labelled_counter("armazem_cache_fills_total", "Entries offered after a read of the store.", "result",
                                 {{"stored", f.fills}, {"refused", f.fills_refused}}));
  all.push_back(counter_family("armazem_reader_store_reads_total", "Reads that went to the store.", number(f.store_reads)));
  all.push_back(counter_family("armazem_reader_refused_total", "Reads refused because too many were at the store.", number(f.refused)));
  all.push_back(counter_family("armazem_reader_not_yet_visible_total", "Reads whose version did not arrive in time.", number(f.not_yet_visible)));
  all.push_back(counter_family("armazem_cache_write_failures_total", "Batches whose cache entries could not be written.", number(cache_failures)));
}

void add_enqueuer_metrics(const Enqueuer::Figures& f, Families& all) {
  all.push_back(counter_family("armazem_enqueuer_messages_total", "Messages given to the queue.", number(f.messages)));
  all.push_back(counter_family("armazem_enqueuer_mutations_total", "Mutations in them.", number(f.mutations)));
  all.push_back(counter_family("armazem_enqueuer_unconfirmed_total", "Messages that the queue did not confirm.", number(f.unconfirmed)));
  all.push_back(counter_family("armazem_enqueuer_turned_away_total", "Mutations applied directly because the queue was away.", number(f.turned_away)));
  all.push_back(counter_family("armazem_enqueuer_replies_total", "Replies of workers.", number(f.replies)));
  all.push_back(counter_family("armazem_enqueuer_replies_unclaimed_total", "Replies that nobody waited for any more.", number(f.replies_unclaimed)));
  all.push_back(counter_family("armazem_enqueuer_overtaken_total", "Confirmed writes applied directly because their worker hangs.", number(f.overtaken)));
  all.push_back(gauge_family("armazem_enqueuer_gathering", "Mutations waiting for a message.", number(f.gathering)));
  all.push_back(gauge_family("armazem_enqueuer_waiting_for_reply", "Confirmed mutations whose client waits.", number(f.waiting_for_reply)));
}

void add_worker_metrics(const Worker& worker, std::uint64_t queue_depth, std::uint64_t cache_failures, Families& all) {
  const Worker::Figures f = worker.figures();
  all.push_back(histogram_family("armazem_worker_delay_seconds", "From a write's stamp until it is applied and in the cache.", worker.delay()));
  all.push_back(histogram_family("armazem_worker_batch_seconds", "From taking a batch to its acknowledgement.", worker.batch_time()));
  all.push_back(counter_family("armazem_worker_batches_total", "Store transactions.", number(f.batches)));
  all.push_back(labelled_counter("armazem_worker_mutations_total", "Mutations by what became of them.", "result",
                                 {{"applied", f.applied},
                                  {"replayed", f.replayed},
                                  {"superseded", f.superseded},
                                  {"indeterminate", f.indeterminate},
                                  {"too-old", f.too_old}}));
  all.push_back(counter_family("armazem_worker_redelivered_total", "Messages that the broker marked as redelivered.", number(f.redelivered)));
  all.push_back(counter_family("armazem_worker_set_aside_total", "Mutations put into the dead letters.", number(f.set_aside)));
  all.push_back(counter_family("armazem_worker_store_errors_total", "Store calls that failed and were tried again.", number(f.store_errors)));
  all.push_back(counter_family("armazem_worker_releases_total", "Times that all messages were given back because the store was away.", number(f.releases)));
  all.push_back(counter_family("armazem_cache_write_failures_total", "Batches whose cache entries could not be written.", number(cache_failures)));
  all.push_back(gauge_family("armazem_worker_lanes", "Batches that may be applied at the same time.", number(f.lanes)));
  all.push_back(gauge_family("armazem_worker_suspended", "1 while the worker waits for the store.", f.suspended ? 1 : 0));
  all.push_back(gauge_family("armazem_queue_depth", "Messages waiting in the queue, as last seen.", number(queue_depth)));
}

}  // namespace armazem
