namespace OrderInventory.Campaign;

/// <summary>What keeps a campaign from being run, in one sentence.</summary>
internal sealed class CampaignException(string message) : Exception(message);
