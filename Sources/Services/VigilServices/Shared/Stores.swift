package import VigilPorts

/// The stores that the services stand on, each seen only as its port.
package struct Stores: Sendable {
    package var relational: any RelationalStore
    package var series: any SeriesStore
    package var cache: any Cache
    package var locks: any Locks
    package var limits: any RateLimits
    package var bus: any Bus
    package var jobs: any JobQueue
    package var blobs: any BlobStore

    package init(
        relational: any RelationalStore, series: any SeriesStore, cache: any Cache, locks: any Locks,
        limits: any RateLimits, bus: any Bus, jobs: any JobQueue, blobs: any BlobStore
    ) {
        self.relational = relational
        self.series = series
        self.cache = cache
        self.locks = locks
        self.limits = limits
        self.bus = bus
        self.jobs = jobs
        self.blobs = blobs
    }
}
