using Microsoft.EntityFrameworkCore;
using Npgsql;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Products.Tests;

public class DatabaseFailureTests
{
    [Fact]
    public void A_deadlock_is_recognised_however_deep_EF_Core_has_wrapped_it()
    {
        var deadlock = new PostgresException("deadlock detected", "ERROR", "ERROR", PostgresErrorCodes.DeadlockDetected);
        Assert.True(deadlock.IsTransientDatabaseFailure());
        // SaveChanges throws it in this form.
        Assert.True(new InvalidOperationException("likely transient", new DbUpdateException("saving", deadlock)).IsTransientDatabaseFailure());
        Assert.False(new DbUpdateException("saving", new PostgresException("check", "ERROR", "ERROR", PostgresErrorCodes.CheckViolation)).IsTransientDatabaseFailure());
        Assert.False(((Exception?)null).IsTransientDatabaseFailure());
    }
}
