using System.Diagnostics.CodeAnalysis;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>One PostgreSQL and one Kafka for all tests, which run one after the other: some of them kill a server.</summary>
[CollectionDefinition(Name)]
[SuppressMessage("Naming", "CA1711", Justification = "xunit's word for it.")]
public class InfrastructureCollection : ICollectionFixture<InfrastructureFixture>
{
    public const string Name = "infrastructure";
}
