using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>Helpers for properties of PostgreSQL that concern every service with EF Core.</summary>
public static class DatabaseValues
{
    /// <summary>
    /// The current time as PostgreSQL stores it: in whole microseconds. With a finer time, the request that creates a row would return another
    /// value than later requests do.
    /// </summary>
    public static DateTimeOffset GetStorableNow(this TimeProvider time)
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>A lower bound: UUIDv7s of this millisecond or later are not smaller, and all UUIDv7s of earlier milliseconds are.</summary>
    public static Guid FirstIdOf(long unixMilliseconds)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Clamp(unixMilliseconds, 0, (1L << 48) - 1) << 16);
        return new(bytes, bigEndian: true);
    }

    /// <summary>The text of a column, or null. Npgsql handles nullable structs, but leaves nulls of reference types to the caller.</summary>
    public static string? GetStringOrNull(this NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    /// <summary>Adds a value to a statement that is assembled from parts, and returns its placeholder, such as <c>$3</c>. Times are UTC.</summary>
    public static string Add(this NpgsqlCommand command, object value)
    {
        command.Parameters.Add(new() { Value = value });
        return string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count}");
    }

    /// <summary>Whether saving failed because another row has the value of this unique index already.</summary>
    public static bool IsUniqueViolation(this DbUpdateException exception, string index) =>
        exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } postgres && postgres.ConstraintName == index;

    /// <summary>
    /// Whether the database failure is transient: a lost connection, a deadlock, a serialization failure, a server that is still recovering or has
    /// become a standby, a statement or session that an administrator has ended. EF Core wraps Npgsql's exceptions (twice while saving).
    /// </summary>
    public static bool IsTransientDatabaseFailure(this Exception? exception) => exception switch
    {
        null => false,
        DbException { IsTransient: true } => true,
        PostgresException
        {
            SqlState: PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown,
        } => true,
        _ => exception.InnerException.IsTransientDatabaseFailure(),
    };

    /// <summary>
    /// The escape character of <see cref="LikePattern"/>. It must be passed: without the argument, EF Core's ILike uses no escape character.
    /// </summary>
    public const string LikeEscape = @"\";

    /// <summary>A pattern for <c>ILIKE</c> that finds the text anywhere; wildcards in the text are literal.</summary>
    public static string LikePattern(string text) =>
        $"%{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal)}%";
}
