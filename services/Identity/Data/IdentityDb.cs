using Microsoft.EntityFrameworkCore;

namespace OrderInventory.Identity.Data;

/// <summary>OpenIddict's own tables: clients, authorizations and tokens.</summary>
internal sealed class IdentityDb(DbContextOptions<IdentityDb> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.UseOpenIddict();
}
