using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>The length of a time span in statistics.</summary>
public enum BucketSize
{
    /// <summary>An hour of the zone's clock. Where clocks go back, the repeated hour is two spans.</summary>
    Hour,

    /// <summary>A day of the zone's calendar: 23 or 25 hours long where clocks change.</summary>
    Day,

    /// <summary>Seven days of the zone's calendar, from Monday (ISO 8601).</summary>
    Week,
}

/// <summary>
/// A period divided into spans of a zone's clock and calendar: a day in Berlin begins at another instant than one in UTC, and some days have 23 or
/// 25 hours. The boundaries are instants, so the database need not know time zones.
/// </summary>
public sealed class TimeBuckets
{
    /// <summary>The largest number of spans in one answer.</summary>
    public const int MaxBuckets = 1000;

    private TimeBuckets(IReadOnlyList<DateTimeOffset> bounds, TimeZoneInfo zone) => (Bounds, Zone) = (bounds, zone);

    /// <summary>The beginning of each span, followed by the end of the last span; UTC.</summary>
    public IReadOnlyList<DateTimeOffset> Bounds { get; }

    public TimeZoneInfo Zone { get; }

    public int Count => Bounds.Count - 1;

    public DateTimeOffset From => Bounds[0];

    public DateTimeOffset To => Bounds[^1];

    /// <summary>
    /// Reads <c>from</c>, <c>to</c>, <c>by</c> and <c>zone</c>. The first and the last span are always whole. Defaults: until now, starting 24 hours,
    /// 30 days or 26 weeks back; by day; UTC.
    /// </summary>
    [SuppressMessage("Design", "CA1021", Justification = "As Paging.Read.")]
    public static ProblemHttpResult? Read(
        DateTimeOffset? from, DateTimeOffset? to, BucketSize? by, string? zone, DateTimeOffset now, out TimeBuckets buckets)
    {
        // Not read when there is a problem.
        buckets = null!;
        var errors = new RequestErrors();
        var size = by ?? BucketSize.Day;
        // Only ids of the IANA database, which begin with a capital. Other names that the system accepts, such as Windows names or files like
        // localtime and right/Europe/Berlin, differ by system.
        TimeZoneInfo? found = null;
        if (zone is not (null or [>= 'A' and <= 'Z', ..]) || !TimeZoneInfo.TryFindSystemTimeZoneById(zone ?? "UTC", out found) || !found.HasIanaId)
        {
            errors.Add("zone", "A time zone of the IANA database, like Europe/Berlin, is required.");
        }

        // The calculation needs the neighbouring days, which the first and last dates of DateTime do not have.
        errors.Require(from is null or { UtcDateTime.Year: > 1900 and < 9000 }, "from", "The year must be from 1901 to 8999.");
        errors.Require(to is null or { UtcDateTime.Year: > 1900 and < 9000 }, "to", "The year must be from 1901 to 8999.");
        if (errors.Any)
        {
            return errors.Malformed();
        }

        var end = to ?? now;
        var start = from ?? end - size switch { BucketSize.Hour => TimeSpan.FromHours(23), BucketSize.Day => TimeSpan.FromDays(29), _ => TimeSpan.FromDays(7 * 25) };
        if (start >= end)
        {
            return Problems.MalformedRequest("from", "from must be before to.");
        }

        var bounds = new List<DateTimeOffset> { StartOf(start, size, found!) };
        while (bounds[^1] < end)
        {
            if (bounds.Count > MaxBuckets)
            {
                return Problems.MalformedRequest("from", $"At most {MaxBuckets} spans are returned; request a shorter range or larger spans.");
            }

            bounds.Add(Next(bounds[^1], size, found!));
        }

        buckets = new(bounds, found!);
        return null;
    }

    private static DateTimeOffset StartOf(DateTimeOffset time, BucketSize size, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(time, zone);
        return size != BucketSize.Hour
            ? Begin(FirstDay(local.Date, size), zone)
            : (local - new TimeSpan(local.TimeOfDay.Ticks % TimeSpan.TicksPerHour)).ToUniversalTime();
    }

    private static DateTimeOffset Next(DateTimeOffset start, BucketSize size, TimeZoneInfo zone)
    {
        if (size != BucketSize.Hour)
        {
            // Counted from noon, which no clock change affects, so that the date is right.
            var day = FirstDay(TimeZoneInfo.ConvertTime(start.AddHours(12), zone).Date, size);
            DateTimeOffset begin;
            do
            {
                day = day.AddDays(size == BucketSize.Week ? 7 : 1);
                begin = Begin(day, zone);
            }
            // A calendar that repeats a day reaches the next midnight twice.
            while (begin <= start);
            return begin;
        }

        // Clocks may change by half an hour (Lord Howe Island): the span ends at the clock's next full hour or, where that is skipped, at the change.
        var next = start.AddHours(1);
        var local = TimeZoneInfo.ConvertTime(next, zone);
        var full = (local - new TimeSpan(local.TimeOfDay.Ticks % TimeSpan.TicksPerHour)).ToUniversalTime();
        return full > start && TimeZoneInfo.ConvertTime(full, zone).Minute == 0 ? full : next;
    }

    private static DateTime FirstDay(DateTime day, BucketSize size) => size == BucketSize.Week ? day.AddDays(-(((int)day.DayOfWeek + 6) % 7)) : day;

    /// <summary>
    /// The first instant of a day: some days have no midnight, and some have two. Of a day that the calendar skips (30 December 2011 in Samoa), the
    /// first instant of the next day. Only instants are converted: what TimeZoneInfo says about local times is wrong for some of these days.
    /// </summary>
    private static DateTimeOffset Begin(DateTime day, TimeZoneInfo zone)
    {
        var utc = new DateTimeOffset(day, TimeSpan.Zero);
        var midnight = utc - zone.GetUtcOffset(utc.AddDays(-1));
        if (TimeZoneInfo.ConvertTime(midnight, zone).DateTime == day)
        {
            return midnight;
        }

        // The clock has changed meanwhile. No zone is further from UTC than these bounds.
        var (before, reached) = (utc.AddHours(-16), utc.AddHours(16));
        while (reached - before > TimeSpan.FromSeconds(1))
        {
            var middle = before + TimeSpan.FromSeconds((long)(reached - before).TotalSeconds / 2);
            (before, reached) = TimeZoneInfo.ConvertTime(middle, zone).Date < day ? (middle, reached) : (before, middle);
        }

        return reached;
    }
}
